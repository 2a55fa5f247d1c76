# SIRI-WHU: 2,400 satellite photographs in 12 classes, TIFF, 200 x 200 pixels.
_base_ = ['class_folders224.py']

source = dict(root='data/SIRI-WHU')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=source))
test_dataloader = val_dataloader
