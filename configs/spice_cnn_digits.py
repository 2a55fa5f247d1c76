# From 8 x 8 digits to SPICE's joint network: MoCo v2, heads, joint training. Minutes on two CPU cores.
# python tools/train.py configs/spice_cnn_digits.py
stages = dict(
    moco=dict(config='moco_cnn_digits.py'),
    spice_self=dict(config='spice_self_cnn_digits.py'),
    spice_joint=dict(config='spice_joint_cnn_digits.py'))
