# AID: 10,000 aerial photographs in 30 classes of 220 to 420, 600 x 600 pixels.
_base_ = ['class_folders224.py']

source = dict(root='data/AID')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=source))
test_dataloader = val_dataloader
