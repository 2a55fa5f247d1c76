# FixMatch on 8 x 8 digits with 40 given labels, four of each class: a minute on a CPU core. No figure of a paper
# corresponds; train = test.
# python tools/train.py configs/fixmatch_cnn_digits_40.py
# Another loss: --cfg-options model.pseudo_label_loss.type=FreeMatchLoss
data = 'data/digits'
stages = dict(fixmatch=dict(parts=['semi_supervised/cnn_digits', 'losses/fixmatch']))
