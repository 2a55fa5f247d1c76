# IDEC on MNIST, train + test: an autoencoder, then clusters beside its reconstruction.
# IDEC's paper, MNIST: ACC 0.881, NMI 0.867
# python tools/train.py configs/idec_mnist.py
data = 'data/mnist'
stages = dict(
    autoencoder=dict(parts=['dec/mnist']),
    idec=dict(on='autoencoder', parts=['dec/idec_mnist']))
