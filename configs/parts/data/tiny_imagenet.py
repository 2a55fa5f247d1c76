# Tiny-ImageNet, the 100,000 training images of 200 classes, 64 pixels (1.2 GB).
parts = ['data/resized']
facts = dict(
    source=dict(type='TinyImageNetSource', root='data/tiny_imagenet', split='train'),
    num_clusters=200, size=64, padding=8, cutout=32, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
