# ProPos on 8 x 8 digits with a small CNN: a minute on two CPU cores. No figure of the paper corresponds.
# python tools/train.py configs/propos_cnn_digits.py
data = 'data/digits'
stages = dict(propos=dict(parts=['propos/cnn_digits']))
