# CIFAR-10 as JPEG files in class folders, split protocol.
parts = ['data/cifar10_jpeg']
facts = dict(
    source=dict(splits=('train',)),
    test_source=dict(type='ClassFolderSource', root='data/cifar10_jpeg', splits=('test',)))
