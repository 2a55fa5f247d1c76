# SCAN's self-labelling, as on CIFAR; batch norm over the whole batch.
parts = ['scan/confident', 'views/scan']
facts = dict(epochs=200, val_interval=10)
sync_bn = 'torch'
