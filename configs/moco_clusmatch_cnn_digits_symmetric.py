# MoCo v2 in both directions, then ClusMatch on it, on 8 x 8 digits with a small CNN.
# python tools/train.py configs/moco_clusmatch_cnn_digits_symmetric.py
data = 'data/digits'
stages = dict(
    moco=dict(parts=['moco/cnn_digits_symmetric']),
    clusmatch=dict(on='moco', parts=['boosters/clusmatch_digits']))
