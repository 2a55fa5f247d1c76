# SimSiam on 2,062 photographs of hands that show digits, at 32 pixels with a small CNN: minutes on one CPU thread.
# No figure of the paper corresponds. Views are not mirrored: some signs are almost mirror images of others.
# python tools/train.py configs/simsiam_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(simsiam=dict(parts=['simsiam/cnn_sign_digits']))
