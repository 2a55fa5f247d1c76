# ImageNet-Dogs as 15 class folders of ImageNet, decoded and augmented in workers.
parts = ['data/imagenet10_workers']
facts = dict(source=dict(classes='imagenet_dogs'), num_clusters=15)
