# UC-Merced: 2,100 aerial photographs in 21 classes, TIFF, 256 x 256 pixels but for 44 of them.
_base_ = ['class_folders224.py']

source = dict(root='data/UC-Merced-Land-Use')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=source))
test_dataloader = val_dataloader
