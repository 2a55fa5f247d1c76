# FlexMatch: a cluster's threshold is lower as long as few images pass it.
model = dict(pseudo_label_loss=dict(type='FlexMatchLoss'))
