# BYOL on 8 x 8 digits with a small CNN. No figure of the papers corresponds.
# python tools/train.py configs/byol_cnn_digits.py
data = 'data/digits'
stages = dict(byol=dict(parts=['byol/cnn_digits']))
