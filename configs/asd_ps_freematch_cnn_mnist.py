# ASD_PS with FreeMatch on all 70,000 digits of MNIST, from random weights. No figure of the paper corresponds.
# python tools/train.py configs/asd_ps_freematch_cnn_mnist.py --amp
data = 'data/mnist'
stages = dict(asd=dict(parts=['asd/ps_cnn_mnist', 'losses/freematch_digits']))
