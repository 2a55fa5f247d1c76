# SCAN's self-labelling on GCC, with the threshold and rate of GCC's release.
parts = ['scan/selflabel']
facts = dict(lr=5e-5)
model = dict(pseudo_label_loss=dict(threshold=0.98))
