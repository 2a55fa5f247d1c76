# BYOL, then ClusMatch on it, on photographs of hands that show digits, at 32 pixels.
# python tools/train.py configs/byol_clusmatch_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(
    byol=dict(parts=['byol/cnn_sign_digits']),
    clusmatch=dict(on='byol', parts=['boosters/clusmatch_sign_digits']))
