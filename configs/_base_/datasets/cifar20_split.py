# CIFAR-100 with its 20 superclasses, split protocol: train on the training images, evaluate on the test images.
_base_ = ['cifar20.py']

source = dict(split='train')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=dict(split='test')))
test_dataloader = val_dataloader
