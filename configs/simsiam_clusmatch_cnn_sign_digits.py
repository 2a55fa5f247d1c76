# SimSiam, then ClusMatch on it, on photographs of hands that show digits: minutes on one CPU thread.
# python tools/train.py configs/simsiam_clusmatch_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(
    simsiam=dict(parts=['simsiam/cnn_sign_digits']),
    clusmatch=dict(on='simsiam', parts=['boosters/clusmatch_sign_digits']))
