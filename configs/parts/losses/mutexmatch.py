# MutexMatch: a second head learns what an unsure image is not.
model = dict(pseudo_label_loss=dict(type='MutexMatchLoss'))
