# CIFAR-100 with its 100 classes, split protocol: train on the 50,000 training images, evaluate on the 10,000 test images.
parts = ['data/cifar20_split']
facts = dict(source=dict(coarse=False), test_source=dict(coarse=False), num_clusters=100)
