# SVHN's cropped digits, split protocol: train on the 73,257 training images, evaluate on the 26,032 test images.
_base_ = ['cifar10_split.py']

source = dict(_delete_=True, type='SVHNSource', root='data/svhn', split='train')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=dict(source, split='test')))
test_dataloader = val_dataloader
