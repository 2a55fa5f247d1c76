# ImageNet-Dogs: 15 of the class folders of ImageNet's training images, 19,500 images, decoded once to 224 x 224 pixels
# and kept in memory (3 GB). The folder may hold other classes as well.
parts = ['data/imagenet10']
facts = dict(source=dict(classes='imagenet_dogs'), num_clusters=15)
