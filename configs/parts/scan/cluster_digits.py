# SCAN's clustering step on digits: ten heads.
parts = ['scan/cluster_heads', 'views/scan_digits']
facts = dict(num_neighbors=60, entropy_weight=2., heads=10, mined='embed', epochs=60, val_interval=20, lr=1e-3)
