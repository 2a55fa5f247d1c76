# SeCu, then ClusMatch on it, on photographs of hands that show digits. No figure of the papers corresponds.
# python tools/train.py configs/secu_clusmatch_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(
    secu=dict(parts=['secu/cnn_sign_digits']),
    clusmatch=dict(
        on='secu', parts=['boosters/clusmatch', 'cc/boosted_sign_digits', 'select/by_older_head'],
        options=dict(model=dict(pseudo_label_loss=dict(decay=0.99)))))
