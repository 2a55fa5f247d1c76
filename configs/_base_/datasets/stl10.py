# STL-10 in its binary layout, the 13,000 labelled images of both splits, 96 pixels, in-memory door.
_base_ = ['cifar10.py']

source = dict(_delete_=True, type='STL10Source', root='data/stl10', split='train+test')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=source))
test_dataloader = val_dataloader
