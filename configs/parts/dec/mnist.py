# The autoencoder on MNIST's 784 pixels, scaled by 0.02 as in the release.
parts = ['dec/autoencoder']
network = dict(width=784, mean=[0.], std=[50.])
