# IDFD on 2,062 photographs of hands that show digits, at 32 pixels with a small CNN: minutes on one CPU thread.
# No figure of the paper corresponds.
# python tools/train.py configs/idfd_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(idfd=dict(parts=['idfd/cnn_sign_digits']))
