# FreeMatch: a threshold for all and one a cluster, which follow the confidence, and fairness.
model = dict(pseudo_label_loss=dict(type='FreeMatchLoss'))
