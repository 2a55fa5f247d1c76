# ImageNet-Dogs: 15 of the class folders of ImageNet's training images, 19,500 images, decoded once to 224 x 224 pixels
# and kept in memory (3 GB). The folder may hold other classes as well.
_base_ = ['imagenet10.py']

source = dict(classes='imagenet_dogs')
train_dataloader = dict(dataset=dict(source=source))
val_dataloader = dict(dataset=dict(source=source))
test_dataloader = val_dataloader
