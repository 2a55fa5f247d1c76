# ImageNet-Dogs: 15 class folders of photographs, decoded and augmented in workers at 224 pixels.
parts = ['data/workers']
facts = dict(
    source=dict(type='ClassFolderSource', root='data/imagenet_dogs', splits=None),
    num_clusters=15, size=224, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
