# CC, then ClusMatch on it, on photographs of hands that show digits: minutes on one CPU thread.
# python tools/train.py configs/cc_clusmatch_cnn_sign_digits.py
stages = dict(
    cc=dict(config='cc_cnn_sign_digits.py'),
    clusmatch=dict(config='clusmatch_cc_cnn_sign_digits.py'))
