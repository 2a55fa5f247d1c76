# The autoencoder on photographs of 32 pixels in three colours.
parts = ['dec/autoencoder']
network = dict(width=3072)
