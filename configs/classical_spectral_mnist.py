# Spectral clustering on the pixels of MNIST, train + test, by scikit-learn. No figure of a paper corresponds.
# python tools/train.py configs/classical_spectral_mnist.py
data = 'data/mnist'
stages = dict(classical=dict(
    parts=['classical/pixels'], facts=dict(classical='spectral')))
