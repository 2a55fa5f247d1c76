# SeCu on 8 x 8 digits with a small CNN; a minute on a CPU core, which is too short for it: k-means on pixels is better.
# No figure of the paper corresponds.
# python tools/train.py configs/secu_cnn_digits.py
data = 'data/digits'
stages = dict(secu=dict(parts=['secu/cnn_digits']))
