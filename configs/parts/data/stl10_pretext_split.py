# STL-10 for learning features, split protocol: train on the 5,000 training and the 100,000 unlabelled images, in this
# order, evaluate on the 8,000 test images.
parts = ['data/stl10_split']
facts = dict(source=dict(split='train+unlabeled'))
