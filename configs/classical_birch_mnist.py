# BIRCH on the pixels of MNIST, train + test, by scikit-learn. No figure of a paper corresponds.
# python tools/train.py configs/classical_birch_mnist.py
data = 'data/mnist'
stages = dict(classical=dict(
    parts=['classical/pixels'], facts=dict(classical='birch', options=dict(threshold=5.5))))
