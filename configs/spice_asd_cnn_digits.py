# From 8 x 8 digits to SPICE+ASD: MoCo v2, heads, ASD_PS instead of reliable labels. Minutes on two CPU cores.
# python tools/train.py configs/spice_asd_cnn_digits.py
stages = dict(
    moco=dict(config='moco_cnn_digits.py'),
    spice_self=dict(config='spice_self_cnn_digits.py'),
    asd=dict(config='asd_on_spice_cnn_digits.py'))
