# ASD_PS at the size of digits.
parts = ['asd/cnn_digits', 'asd/prototypes']
model = dict(labeller=dict(reg=0.2))
hooks = dict(select=dict(selector=dict(n_init=1)))
