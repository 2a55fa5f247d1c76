# SPICE on CIFAR-10 made imbalanced (section IV-G): class k = 1..10 keeps a share of zeta + k (1 - zeta) / 10 of its
# training images.
# Table IX, ACC for zeta 1, 0.8, 0.6, 0.4, 0.2: 0.923, 0.922, 0.920, 0.905, 0.850.
# tools/dist_train.sh configs/spice_r18_cifar10_imbalanced.py 4
# Another zeta: --cfg-options facts.zeta=0.4
data = 'data/cifar10_imbalanced'
stages = dict(
    moco=dict(parts=['moco/r18']),
    spice_self=dict(on='moco', parts=['spice/self']),
    spice_joint=dict(parts=['nets/r18_cifar', 'spice/joint', 'data/fixmatch_statistics']))
