# FixMatch: one threshold for all images.
model = dict(pseudo_label_loss=dict(type='FixMatchLoss'))
