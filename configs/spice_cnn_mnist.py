# SPICE on all 70,000 digits of MNIST with a small CNN: MoCo v2, heads, joint training. No figure of the paper
# corresponds.
# python tools/train.py configs/spice_cnn_mnist.py --amp
data = 'data/mnist'
stages = dict(
    moco=dict(parts=['moco/cnn_mnist']),
    spice_self=dict(on='moco', parts=['spice/self_mnist']),
    spice_joint=dict(parts=['spice/joint_mnist']))
