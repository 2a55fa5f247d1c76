# ImageNet-10: 10 of the class folders of ImageNet's training images, 13,000 images, decoded once to 224 x 224 pixels
# and kept in memory (2 GB). The folder may hold other classes as well.
_base_ = ['cifar10.py']

source = dict(_delete_=True, type='ClassFolderSource', root='data/imagenet/train', splits=None, classes='imagenet10')
train_dataloader = dict(dataset=dict(source=source, size=224))
val_dataloader = dict(dataset=dict(source=source, size=224))
test_dataloader = val_dataloader
