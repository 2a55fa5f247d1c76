# MoCo v2 in both directions on 8 x 8 digits with a small CNN. No figure of the papers corresponds.
# python tools/train.py configs/moco_cnn_digits_symmetric.py
data = 'data/digits'
stages = dict(moco=dict(parts=['moco/cnn_digits_symmetric']))
