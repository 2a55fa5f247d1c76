# CIFAR-10-LT: the training images with classes that shrink exponentially, the smallest a tenth of the largest (ProPos,
# section 5.8); they are clustered and evaluated.
parts = ['data/cifar10']
facts = dict(
    tail=0.1,
    source=dict(
        _delete_=True,
        type='ImbalancedSource',
        profile='exponential',
        ratio='{tail}',
        source=dict(type='CIFAR10Source', root='data/cifar10', split='train')))
