# The autoencoder on 8 x 8 digits, at mean square 1.
parts = ['dec/autoencoder']
network = dict(width=64, mean=[0.], std=[123.5])
