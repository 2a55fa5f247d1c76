# CIFAR-10 with training classes of different sizes (SPICE, section IV-G), evaluated on the test images, which are left
# alone. The environment sets the imbalance: ZETA=0.2 keeps 28 % of the first class and all of the last, 1 keeps all.
_base_ = ['cifar10_split.py']

zeta = {{$ZETA:0.2}}
train_dataloader = dict(
    dataset=dict(
        source=dict(
            _delete_=True,
            type='ImbalancedSource',
            zeta=zeta,
            seed=0,
            source=dict(type='CIFAR10Source', root='data/cifar10', split='train'))))
