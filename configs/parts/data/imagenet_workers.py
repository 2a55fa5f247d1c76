# ImageNet-1K's training folder decoded and augmented in workers at 224 pixels. A JPEG whose shorter edge has 1024 pixels
# or more is decoded at half its size or less: at 512, a crop of a fifth of the area still has 224 pixels.
parts = ['data/workers']
facts = dict(
    source=dict(type='ClassFolderSource', root='data/imagenet/train', splits=None, draft=512),
    num_clusters=1000, size=224, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
