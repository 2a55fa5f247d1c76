# SCAN's clustering step on photographs of hands: ten heads.
parts = ['views/turned_crops', 'scan/cluster_heads', 'schedules/adam_to_zero']
facts = dict(
    num_neighbors=20, heads=10, mined='embed', epochs=30, val_interval=15, lr=1e-3, rate_warmup=0, strong='{view}')
model = dict(channels_last=True)
