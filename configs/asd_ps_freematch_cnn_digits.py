# ASD_PS with FreeMatch on 8 x 8 digits: the labelled rows are prototypes with their neighbours, chosen anew each epoch.
# python tools/train.py configs/asd_ps_freematch_cnn_digits.py
data = 'data/digits'
stages = dict(asd=dict(parts=['asd/ps_cnn_digits', 'losses/freematch_digits']))
