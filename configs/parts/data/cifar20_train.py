# CIFAR-100 with its 20 superclasses, its 50,000 training images alone, which are also evaluated.
parts = ['data/cifar20']
facts = dict(source=dict(split='train'))
