# ClusMatch: positive and negative labels above adaptive thresholds, and labels of k-means.
model = dict(pseudo_label_loss=dict(type='ClusMatchLoss'))
