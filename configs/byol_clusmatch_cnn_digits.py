# BYOL, then ClusMatch on it, on 8 x 8 digits with a small CNN.
# python tools/train.py configs/byol_clusmatch_cnn_digits.py
data = 'data/digits'
stages = dict(
    byol=dict(parts=['byol/cnn_digits']),
    clusmatch=dict(on='byol', parts=['boosters/clusmatch_digits']))
