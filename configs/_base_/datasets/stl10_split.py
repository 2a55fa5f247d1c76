# STL-10, split protocol: train on the 5,000 training images, evaluate on the 8,000 test images.
_base_ = ['stl10.py']

source = dict(split='train')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=dict(split='test')))
test_dataloader = val_dataloader
