# From CIFAR-20 (superclasses of CIFAR-100) to SPICE's joint network, split protocol, ResNet-18 throughout.
# Table III, ResNet-18, CIFAR-20: SPICE_s ACC 0.468, NMI 0.457, ARI 0.321; SPICE 0.535, 0.565, 0.404. The larger
# networks of Table II are in spice_r34_cifar20_whole.py.
# tools/dist_train.sh configs/spice_r18_cifar20.py 4
data = 'data/cifar20_split'
stages = dict(
    moco=dict(parts=['moco/r18']),
    spice_self=dict(on='moco', parts=['spice/self_cifar20']),
    spice_joint=dict(parts=['nets/r18_cifar', 'spice/joint']))
