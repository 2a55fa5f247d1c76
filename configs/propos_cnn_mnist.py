# ProPos on all 70,000 digits of MNIST with a small CNN: about ten minutes on two CPU cores. No figure of the paper
# corresponds.
# python tools/train.py configs/propos_cnn_mnist.py --amp
data = 'data/mnist'
stages = dict(propos=dict(parts=['propos/cnn_mnist']))
