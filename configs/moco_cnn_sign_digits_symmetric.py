# MoCo v2 in both directions on photographs of hands that show digits, at 32 pixels. No figure of the papers corresponds.
# python tools/train.py configs/moco_cnn_sign_digits_symmetric.py
data = 'data/sign_digits'
stages = dict(moco=dict(parts=['moco/cnn_sign_digits_symmetric']))
