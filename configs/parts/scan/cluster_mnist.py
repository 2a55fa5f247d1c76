# SCAN's clustering step on MNIST: ten heads.
parts = ['views/strong_mnist', 'scan/cluster_heads', 'schedules/adam_to_zero']
facts = dict(
    num_neighbors=20, heads=10, mined='embed', epochs=5, val_interval=5, batch=256, lr=1e-3, rate_warmup=0,
    strong='{view}')
