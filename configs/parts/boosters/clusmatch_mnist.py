# ClusMatch at the size of MNIST.
parts = ['boosters/clusmatch', 'boosters/mnist']
model = dict(pseudo_label_loss=dict(decay=0.99))
