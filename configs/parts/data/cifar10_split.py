# CIFAR-10, split protocol: train on the 50,000 training images, evaluate on the 10,000 test images.
parts = ['data/cifar10']
facts = dict(
    source=dict(split='train'),
    test_source=dict(type='CIFAR10Source', root='data/cifar10', split='test'))
