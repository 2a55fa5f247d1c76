# SCAN's clustering step, as on CIFAR-10; batch norm over the whole batch.
parts = ['scan/cluster_heads', 'views/scan']
facts = dict(epochs=50, val_interval=5)
sync_bn = 'torch'
