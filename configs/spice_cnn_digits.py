# From 8 x 8 digits to SPICE's joint network: MoCo v2, heads, joint training. Minutes on two CPU cores.
# python tools/train.py configs/spice_cnn_digits.py
data = 'data/digits'
stages = dict(
    moco=dict(parts=['moco/cnn_digits']),
    spice_self=dict(on='moco', parts=['spice/self_digits']),
    spice_joint=dict(parts=['spice/joint_digits']))
