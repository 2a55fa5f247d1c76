# ImageNet-10: 10 of the class folders of ImageNet's training images, 13,000 images, decoded once to 224 x 224 pixels
# and kept in memory (2 GB). The folder may hold other classes as well.
parts = ['data/resized']
facts = dict(
    source=dict(type='ClassFolderSource', root='data/imagenet/train', splits=None, classes='imagenet10'),
    num_clusters=10, size=224, padding=28, cutout=32, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
