# From STL-10 to SPICE+ASD, split protocol: MoCo v2, ten heads, ASD_PS; ResNet-18 throughout.
# tools/dist_train.sh configs/spice_asd_r18_stl10.py 4
# Given checkpoints replace the stages before: --cfg-options stages.moco.checkpoint=MOCO.pth \
#   stages.spice_self.checkpoint=SPICE_SELF.pth
data = 'data/stl10_split'
stages = dict(
    moco=dict(parts=['moco/r18_stl'], data='data/stl10_pretext_split'),
    spice_self=dict(on='moco', parts=['spice/self_stl10']),
    asd=dict(on='spice_self', parts=['asd/in_spice'], facts=dict(first_map=60)))
