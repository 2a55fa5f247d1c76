# SPICE on CIFAR-10, whole protocol (train + test): features of its own ResNet-34, joint training of a WRN-28-2.
# Table II, CIFAR-10: SPICE_s ACC 0.838, NMI 0.734, ARI 0.705; SPICE 0.926, 0.865, 0.852.
# tools/dist_train.sh configs/spice_r34_cifar10_whole.py 4
data = 'data/cifar10'
stages = dict(
    moco=dict(parts=['moco/r34_stl']),
    spice_self=dict(on='moco', parts=['spice/self']),
    spice_joint=dict(parts=['nets/wrn28_2', 'spice/joint', 'data/fixmatch_statistics']))
