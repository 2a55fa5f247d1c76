# BYOL with CC's two losses on 8 x 8 digits with a small CNN; a minute on a CPU core.
# No figure of a paper corresponds.
# python tools/train.py configs/byol_cc_cnn_digits.py
data = 'data/digits'
stages = dict(byol_cc=dict(parts=['byol/cnn_digits', 'byol/cc']))
