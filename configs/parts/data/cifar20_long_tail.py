# CIFAR-20-LT: the training images with classes that shrink exponentially, the smallest a tenth of the largest (ProPos,
# section 5.8); they are clustered and evaluated.
parts = ['data/cifar20']
facts = dict(
    tail=0.1,
    source=dict(
        _delete_=True,
        type='ImbalancedSource',
        profile='exponential',
        ratio='{tail}',
        source=dict(type='CIFAR100Source', root='data/cifar100', split='train', coarse=True)))
