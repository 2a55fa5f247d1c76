# ProPos, then ClusMatch on it, on 8 x 8 digits: the quickstart.
# python tools/train.py configs/propos_clusmatch_cnn_digits.py
stages = dict(
    propos=dict(config='propos_cnn_digits.py'),
    clusmatch=dict(config='clusmatch_cnn_digits.py'))
