# ProPos, then ClusMatch, on all 70,000 digits of MNIST with a small CNN. No figure of the papers corresponds.
# python tools/train.py configs/propos_clusmatch_cnn_mnist.py --amp
data = 'data/mnist'
stages = dict(
    propos=dict(parts=['propos/cnn_mnist']),
    clusmatch=dict(on='propos', parts=['boosters/clusmatch_mnist']))
