# From CIFAR-10 to SPICE+ASD, split protocol: MoCo v2, ten heads, ASD_PS; ResNet-18 throughout.
# Paper, CIFAR-10, ACC in %: 94.2, SPICE alone 92.6.
# tools/dist_train.sh configs/spice_asd_r18_cifar10.py 4
# Given checkpoints replace the stages before: --cfg-options stages.moco.checkpoint=MOCO.pth \
#   stages.spice_self.checkpoint=SPICE_SELF.pth
data = 'data/cifar10_split'
stages = dict(
    moco=dict(parts=['moco/r18']),
    spice_self=dict(on='moco', parts=['spice/self']),
    asd=dict(on='spice_self', parts=['asd/in_spice']))
