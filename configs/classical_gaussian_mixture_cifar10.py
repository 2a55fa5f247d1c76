# A mixture of Gaussians on the pixels of CIFAR-10, train + test, by scikit-learn. No figure of a paper corresponds.
# python tools/train.py configs/classical_gaussian_mixture_cifar10.py
data = 'data/cifar10'
stages = dict(classical=dict(
    parts=['classical/pixels'], facts=dict(classical='gaussian_mixture')))
