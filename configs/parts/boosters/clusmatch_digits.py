# ClusMatch at the size of digits.
parts = ['boosters/clusmatch', 'boosters/digits']
model = dict(pseudo_label_loss=dict(decay=0.99))
