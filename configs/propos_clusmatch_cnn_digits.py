# ProPos, then ClusMatch, on 8 x 8 digits, the quickstart. No figure of the papers corresponds.
# bash tools/quickstart.sh, or python tools/train.py configs/propos_clusmatch_cnn_digits.py
data = 'data/digits'
stages = dict(
    propos=dict(parts=['propos/cnn_digits']),
    clusmatch=dict(on='propos', parts=['boosters/clusmatch_digits']))
