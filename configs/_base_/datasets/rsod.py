# RSOD: 976 aerial photographs in 4 classes, mixed sizes. Its four archives may lie as they come, with annotations.
_base_ = ['class_folders224.py']

source = dict(root='data/RSOD')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=source))
test_dataloader = val_dataloader
