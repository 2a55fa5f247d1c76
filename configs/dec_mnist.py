# DEC on MNIST, train + test: an autoencoder, then clusters.
# DEC's paper, MNIST: ACC 0.843
# python tools/train.py configs/dec_mnist.py
data = 'data/mnist'
stages = dict(
    autoencoder=dict(parts=['dec/mnist']),
    dec=dict(on='autoencoder', parts=['dec/cluster_mnist']))
