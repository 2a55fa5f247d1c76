# From CIFAR-10 to SPICE's joint network, split protocol: MoCo v2, ten heads, joint training, ResNet-18 throughout.
# Table III, ResNet-18, CIFAR-10: SPICE_s ACC 0.845, NMI 0.739, ARI 0.709; SPICE 0.918, 0.850, 0.836.
# tools/dist_train.sh configs/spice_r18_cifar10.py 4
# A given MoCo checkpoint replaces the first stage: --cfg-options stages.moco.checkpoint=MOCO.pth
data = 'data/cifar10_split'
stages = dict(
    moco=dict(parts=['moco/r18']),
    spice_self=dict(on='moco', parts=['spice/self']),
    spice_joint=dict(parts=['nets/r18_cifar', 'spice/joint', 'data/fixmatch_statistics']))
