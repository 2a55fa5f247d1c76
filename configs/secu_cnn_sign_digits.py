# SeCu on 2,062 photographs of hands that show digits, at 32 pixels with a small CNN.
# No figure of the paper corresponds. Views are not mirrored: some signs are almost mirror images of others.
# python tools/train.py configs/secu_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(secu=dict(parts=['secu/cnn_sign_digits']))
