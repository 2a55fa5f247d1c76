# BYOL on photographs of hands that show digits, at 32 pixels. No figure of the papers corresponds.
# python tools/train.py configs/byol_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(byol=dict(parts=['byol/cnn_sign_digits']))
