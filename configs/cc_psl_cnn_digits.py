# CC with ProPos' prototype scattering on 8 x 8 digits with a small CNN; a minute on a CPU core.
# No figure of a paper corresponds.
# python tools/train.py configs/cc_psl_cnn_digits.py
data = 'data/digits'
stages = dict(cc_psl=dict(parts=['cc/cnn_digits', 'cc/psl'], facts=dict(warmup=20)))
