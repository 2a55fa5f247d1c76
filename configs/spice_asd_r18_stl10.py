# From STL-10 to SPICE+ASD, split protocol: MoCo v2, ten heads, ASD_PS; ResNet-18 throughout.
# tools/dist_train.sh configs/spice_asd_r18_stl10.py 4
# Given checkpoints replace the stages before: --cfg-options stages.moco.checkpoint=MOCO.pth \
#   stages.spice_self.checkpoint=SPICE_SELF.pth
stages = dict(
    moco=dict(config='moco_r18_stl10.py'),
    spice_self=dict(config='spice_self_r18_stl10.py'),
    asd=dict(config='asd_on_spice_r18_stl10.py'))
