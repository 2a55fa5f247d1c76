# BYOL with CC's two losses on 2,062 photographs of hands that show digits, at 32 pixels with a small CNN: minutes on one CPU thread.
# No figure of a paper corresponds.
# python tools/train.py configs/byol_cc_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(byol_cc=dict(parts=['byol/cnn_sign_digits', 'byol/cc']))
