# NMF, then k-means, on the pixels of CIFAR-10, train + test, by scikit-learn. No figure of a paper corresponds.
# python tools/train.py configs/classical_nmf_cifar10.py
data = 'data/cifar10'
stages = dict(classical=dict(
    parts=['classical/pixels'], facts=dict(classical='nmf')))
