# STL-10 for learning features: train on all 113,000 images, evaluate on the 13,000 labelled ones, which come first.
_base_ = ['stl10.py']

source = dict(split='train+test+unlabeled')
train_dataloader = dict(dataset=dict(source=source))
