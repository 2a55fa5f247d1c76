# CIFAR-100 with its 20 superclasses, split protocol: train on the training images, evaluate on the test images.
parts = ['data/cifar20']
facts = dict(
    source=dict(split='train'),
    test_source=dict(type='CIFAR100Source', root='data/cifar100', split='test', coarse=True))
