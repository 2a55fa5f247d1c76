# SoftMatch: images are weighted by a Gaussian of their confidence, no image is left out.
model = dict(pseudo_label_loss=dict(type='SoftMatchLoss'))
