# ImageNet-10 decoded and augmented in workers. The folder may hold other classes of ImageNet as well.
parts = ['data/photographs']
facts = dict(root='data/imagenet/train', source=dict(classes='imagenet10'), num_clusters=10)
