# FreeMatch for runs of a few hundred iterations.
parts = ['losses/freematch']
model = dict(pseudo_label_loss=dict(decay=0.99))
