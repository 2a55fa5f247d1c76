# SVHN's cropped digits, split protocol: train on the 73,257 training images, evaluate on the 26,032 test images.
parts = ['data/memory']
facts = dict(
    source=dict(type='SVHNSource', root='data/svhn', split='train'),
    test_source=dict(type='SVHNSource', root='data/svhn', split='test'),
    num_clusters=10, size=32, padding=4, cutout=16, flip=0., mean=[111.6, 113.2, 120.6], std=[50.5, 51.3, 50.2])
