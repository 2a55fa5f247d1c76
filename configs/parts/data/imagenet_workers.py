# ImageNet-1K's training folder decoded and augmented in workers at 224 pixels.
parts = ['data/workers']
facts = dict(
    source=dict(type='ClassFolderSource', root='data/imagenet/train', splits=None),
    num_clusters=1000, size=224, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
