# From 8 x 8 digits to ClusMatch without pre-training: ASD_PS with FreeMatch, whose averaged network and head ClusMatch
# takes over, with the rows that the head is surest of as its labelled ones.
# python tools/train.py configs/asd_ps_clusmatch_cnn_digits.py
data = 'data/digits'
stages = dict(
    asd=dict(parts=['asd/ps_cnn_digits', 'losses/freematch_digits']),
    clusmatch=dict(on='asd', parts=['boosters/clusmatch_digits', 'select/by_head']))
