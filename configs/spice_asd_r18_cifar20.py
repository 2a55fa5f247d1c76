# From CIFAR-20 to SPICE+ASD, split protocol: MoCo v2, ten heads, ASD_PS; ResNet-18 throughout.
# Paper, CIFAR-20, ACC in %: 56.9, SPICE alone 53.8.
# tools/dist_train.sh configs/spice_asd_r18_cifar20.py 4
# Given checkpoints replace the stages before: --cfg-options stages.moco.checkpoint=MOCO.pth \
#   stages.spice_self.checkpoint=SPICE_SELF.pth
stages = dict(
    moco=dict(config='moco_r18_cifar20.py'),
    spice_self=dict(config='spice_self_r18_cifar20.py'),
    asd=dict(config='asd_on_spice_r18_cifar20.py'))
