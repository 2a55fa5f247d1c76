# Chaoyang: 6,160 patches of colon slides in 4 classes, 512 x 512 pixels, in the class folders that
# tools/dataset_converters/class_folders.py makes.
_base_ = ['class_folders224.py']

source = dict(root='data/Chaoyang/image')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=source))
test_dataloader = val_dataloader
