# MoCo v2 in both directions, then ClusMatch on it, on photographs of hands that show digits, at 32 pixels.
# python tools/train.py configs/moco_clusmatch_cnn_sign_digits_symmetric.py
data = 'data/sign_digits'
stages = dict(
    moco=dict(parts=['moco/cnn_sign_digits_symmetric']),
    clusmatch=dict(on='moco', parts=['boosters/clusmatch_sign_digits']))
