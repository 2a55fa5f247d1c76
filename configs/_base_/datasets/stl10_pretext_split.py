# STL-10 for learning features, split protocol: train on the 5,000 training and the 100,000 unlabelled images, in this
# order, evaluate on the 8,000 test images.
_base_ = ['stl10_split.py']

source = dict(split='train+unlabeled')
train_dataloader = dict(dataset=dict(source=source))
