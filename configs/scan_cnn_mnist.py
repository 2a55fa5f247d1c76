# SCAN on all 70,000 digits of MNIST with a small CNN: SimCLR, then clusters of neighbours. No figure of the paper
# corresponds.
# python tools/train.py configs/scan_cnn_mnist.py --amp
data = 'data/mnist'
stages = dict(
    simclr=dict(parts=['simclr/cnn_mnist']),
    scan_cluster=dict(on='simclr', parts=['scan/cluster_mnist']))
