# PICI on 8 x 8 digits with a narrow transformer, patches of 2 pixels: minutes on one CPU thread.
# No figure of the paper corresponds.
# python tools/train.py configs/pici_vit_digits.py
data = 'data/digits'
stages = dict(pici=dict(parts=['pici/vit_digits']))
