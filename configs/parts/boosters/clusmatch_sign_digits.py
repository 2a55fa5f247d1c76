# ClusMatch at the size of the photographs of hands, on a base without a head.
parts = ['boosters/clusmatch', 'boosters/sign_digits', 'select/by_embedding']
model = dict(pseudo_label_loss=dict(decay=0.99))
