# SCAN's clustering step on CIFAR-20: a larger batch, twice as long.
parts = ['scan/cluster']
facts = dict(epochs=100, batch=512)
