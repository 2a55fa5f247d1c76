# MNIST in three equal channels, for networks and views of colour photographs.
parts = ['data/mnist']
facts = dict(source=dict(mode='RGB'), mean=[33.4, 33.4, 33.4], std=[78.7, 78.7, 78.7])
