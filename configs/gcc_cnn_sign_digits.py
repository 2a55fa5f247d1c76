# GCC on 2,062 photographs of hands that show digits, at 32 pixels with a small CNN. No figure of the paper corresponds.
# Its first epochs have been measured. Views are not mirrored: some signs are almost mirror images of others.
# python tools/train.py configs/gcc_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(gcc=dict(parts=['gcc/cnn_sign_digits']))
