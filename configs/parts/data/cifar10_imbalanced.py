# CIFAR-10 with training classes of different sizes (SPICE, section IV-G), evaluated on the test images, which are left
# alone. The environment sets the imbalance: ZETA=0.2 keeps 28 % of the first class and all of the last, 1 keeps all.
parts = ['data/cifar10_split']
facts = dict(
    zeta={{$ZETA:0.2}},
    source=dict(
        _delete_=True,
        type='ImbalancedSource',
        zeta='{zeta}',
        source=dict(type='CIFAR10Source', root='data/cifar10', split='train')))
