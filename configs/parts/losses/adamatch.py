# AdaMatch: a threshold relative to the confidence on labelled images, and aligned distributions.
model = dict(pseudo_label_loss=dict(type='AdaMatchLoss'))
