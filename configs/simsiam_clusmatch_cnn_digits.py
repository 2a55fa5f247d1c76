# SimSiam, then ClusMatch on it, on 8 x 8 digits with a small CNN. No figure of the papers corresponds.
# python tools/train.py configs/simsiam_clusmatch_cnn_digits.py
data = 'data/digits'
stages = dict(
    simsiam=dict(parts=['simsiam/cnn_digits']),
    clusmatch=dict(on='simsiam', parts=['boosters/clusmatch_digits']))
