# From 8 x 8 digits to SPICE+ASD: MoCo v2, heads, ASD_PS instead of reliable labels. Minutes on two CPU cores.
# python tools/train.py configs/spice_asd_cnn_digits.py
data = 'data/digits'
stages = dict(
    moco=dict(parts=['moco/cnn_digits']),
    spice_self=dict(on='moco', parts=['spice/self_digits']),
    asd=dict(on='spice_self', parts=['asd/in_spice_digits']))
