# D0: 4,508 photographs of field pests in 40 classes, 200 x 200 pixels.
_base_ = ['class_folders224.py']

source = dict(root='data/D0-40')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=source))
test_dataloader = val_dataloader
