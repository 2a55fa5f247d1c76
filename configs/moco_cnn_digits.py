# MoCo v2 on 8 x 8 digits with a small CNN; the first stage of spice_cnn_digits.py.
# python tools/train.py configs/moco_cnn_digits.py
data = 'data/digits'
stages = dict(moco=dict(parts=['moco/cnn_digits']))
