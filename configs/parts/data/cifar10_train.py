# CIFAR-10, its 50,000 training images alone, which are also evaluated.
parts = ['data/cifar10']
facts = dict(source=dict(split='train'))
