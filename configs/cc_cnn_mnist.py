# CC on all 70,000 digits of MNIST with a small CNN: a quarter of an hour on a CPU core. No figure of the
# paper corresponds.
# python tools/train.py configs/cc_cnn_mnist.py --amp
data = 'data/mnist'
stages = dict(cc=dict(parts=['cc/cnn_mnist']))
