# SPICE's heads on MNIST: 14 E-steps an epoch, of a view of few and one of many changes.
parts = ['views/weak_strong_mnist', 'spice/heads']
facts = dict(epochs=10, val_interval=5, rows=5000, strong='{view}')
