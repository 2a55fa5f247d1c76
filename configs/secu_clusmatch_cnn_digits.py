# SeCu, then ClusMatch on it, on 8 x 8 digits. No figure of the papers corresponds.
# python tools/train.py configs/secu_clusmatch_cnn_digits.py
data = 'data/digits'
stages = dict(
    secu=dict(parts=['secu/cnn_digits']),
    clusmatch=dict(on='secu', parts=['boosters/clusmatch_digits', 'select/by_older_head']))
