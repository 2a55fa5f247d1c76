# SeCu on 8 x 8 digits with a small CNN; three minutes on a CPU core, since it is a slow learner. No figure of the paper
# corresponds.
# python tools/train.py configs/secu_cnn_digits.py
data = 'data/digits'
stages = dict(secu=dict(parts=['secu/cnn_digits']))
