# IDFD on 8 x 8 digits with a small CNN; three minutes on a CPU core. No figure of the paper corresponds.
# python tools/train.py configs/idfd_cnn_digits.py
data = 'data/digits'
stages = dict(idfd=dict(parts=['idfd/cnn_digits']))
