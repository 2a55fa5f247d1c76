# FreeMatch whose average confidence is capped, as its release does on SVHN.
parts = ['losses/freematch']
model = dict(pseudo_label_loss=dict(max_threshold=0.95))
