# GCC on 8 x 8 digits with a small CNN; minutes on a CPU core. No figure of the paper corresponds.
# python tools/train.py configs/gcc_cnn_digits.py
data = 'data/digits'
stages = dict(gcc=dict(parts=['gcc/cnn_digits']))
