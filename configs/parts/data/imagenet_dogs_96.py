# ImageNet-Dogs, decoded once to 96 x 96 pixels.
parts = ['data/imagenet_dogs']
facts = dict(size=96, padding=12)
