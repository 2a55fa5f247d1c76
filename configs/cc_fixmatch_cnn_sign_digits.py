# CC, then FixMatch on it, on photographs of hands that show digits: minutes on one CPU thread.
# python tools/train.py configs/cc_fixmatch_cnn_sign_digits.py
data = 'data/sign_digits'
stages = dict(
    cc=dict(parts=['cc/cnn_sign_digits']),
    fixmatch=dict(on='cc', parts=['boosters/fixmatch', 'cc/boosted_sign_digits']))
