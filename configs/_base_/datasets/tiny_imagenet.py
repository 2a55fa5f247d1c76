# Tiny-ImageNet, the 100,000 training images of 200 classes, 64 pixels, in-memory door (1.2 GB).
_base_ = ['cifar10.py']

source = dict(_delete_=True, type='TinyImageNetSource', root='data/tiny_imagenet', split='train')
train_dataloader = dict(dataset=dict(source=source, size=64))
val_dataloader = dict(dataset=dict(source=source, size=64))
test_dataloader = val_dataloader
