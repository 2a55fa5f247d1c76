# CC, then ClusMatch on it, on photographs of hands that show digits: minutes on one CPU thread.
# python tools/train.py configs/cc_clusmatch_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(
    cc=dict(parts=['cc/cnn_sign_digits']),
    clusmatch=dict(
        on='cc', parts=['boosters/clusmatch', 'cc/boosted_sign_digits'],
        options=dict(model=dict(pseudo_label_loss=dict(decay=0.99)))))
