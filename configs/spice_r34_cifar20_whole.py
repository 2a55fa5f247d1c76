# SPICE on CIFAR-20, whole protocol (train + test): features of its own ResNet-34, joint training of a WRN-28-8.
# Table II, CIFAR-20: SPICE_s ACC 0.468, NMI 0.448, ARI 0.294; SPICE 0.538, 0.567, 0.387.
# tools/dist_train.sh configs/spice_r34_cifar20_whole.py 4
data = 'data/cifar20'
stages = dict(
    moco=dict(parts=['moco/r34_stl']),
    spice_self=dict(on='moco', parts=['spice/self_cifar20']),
    spice_joint=dict(parts=['nets/wrn28_8', 'spice/joint']))
