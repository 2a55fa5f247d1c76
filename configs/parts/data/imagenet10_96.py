# ImageNet-10, decoded once to 96 x 96 pixels.
parts = ['data/imagenet10']
facts = dict(size=96, padding=12)
