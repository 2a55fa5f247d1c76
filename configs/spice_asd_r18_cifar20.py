# From CIFAR-20 to SPICE+ASD, split protocol: MoCo v2, ten heads, ASD_PS; ResNet-18 throughout.
# Paper, CIFAR-20, ACC in %: 56.9, SPICE alone 53.8.
# tools/dist_train.sh configs/spice_asd_r18_cifar20.py 4
# Given checkpoints replace the stages before: --cfg-options stages.moco.checkpoint=MOCO.pth \
#   stages.spice_self.checkpoint=SPICE_SELF.pth
data = 'data/cifar20_split'
stages = dict(
    moco=dict(parts=['moco/r18']),
    spice_self=dict(on='moco', parts=['spice/self_cifar20']),
    asd=dict(on='spice_self', parts=['asd/in_spice']))
