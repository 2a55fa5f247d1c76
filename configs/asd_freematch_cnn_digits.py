# ASD with FreeMatch on 8 x 8 digits, from random weights, without labels or pre-training. No figure of the paper
# corresponds.
# python tools/train.py configs/asd_freematch_cnn_digits.py
data = 'data/digits'
stages = dict(asd=dict(parts=['asd/cnn_digits', 'losses/freematch_digits']))
