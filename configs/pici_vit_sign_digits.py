# PICI on 2,062 photographs of hands that show digits, at 32 pixels with a narrow transformer: a quarter of an hour on
# one CPU thread. No figure of the paper corresponds. Views are not mirrored: some signs are almost mirror images.
# python tools/train.py configs/pici_vit_sign_digits.py
data = 'data/sign_digits'
stages = dict(pici=dict(parts=['pici/vit_sign_digits']))
