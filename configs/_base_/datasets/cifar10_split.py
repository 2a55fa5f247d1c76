# CIFAR-10, split protocol: train on the 50,000 training images, evaluate on the 10,000 test images, in-memory door.
_base_ = ['cifar10.py']

source = dict(split='train')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=dict(split='test')))
test_dataloader = val_dataloader
