# CC, then ClusMatch on it, on all 70,000 digits of MNIST with a small CNN. No figure of the papers corresponds.
# python tools/train.py configs/cc_clusmatch_cnn_mnist.py --amp
data = 'data/mnist'
stages = dict(
    cc=dict(parts=['cc/cnn_mnist']),
    clusmatch=dict(on='cc', parts=['boosters/clusmatch_mnist', 'select/by_head']))
