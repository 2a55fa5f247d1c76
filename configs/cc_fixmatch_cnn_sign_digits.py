# CC, then FixMatch on it, on photographs of hands that show digits: minutes on one CPU thread.
# python tools/train.py configs/cc_fixmatch_cnn_sign_digits.py
stages = dict(
    cc=dict(config='cc_cnn_sign_digits.py'),
    fixmatch=dict(config='fixmatch_cc_cnn_sign_digits.py'))
