# CC with ProPos' prototype scattering on 2,062 photographs of hands that show digits, at 32 pixels with a small CNN: minutes on one CPU thread.
# No figure of a paper corresponds.
# python tools/train.py configs/cc_psl_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(cc_psl=dict(parts=['cc/cnn_sign_digits', 'cc/psl'], facts=dict(warmup=20)))
