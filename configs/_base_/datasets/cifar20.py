# CIFAR-100 with its 20 superclasses, train + test, in-memory door.
_base_ = ['cifar10.py']

source = dict(_delete_=True, type='CIFAR100Source', root='data/cifar100', split='train+test', coarse=True)
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=source))
test_dataloader = val_dataloader
