# SimCLR as SCAN trains it: as MoCo, but its cosine ends at a thousandth, and batch norm is over the whole batch.
parts = ['schedules/moco']
facts = dict(epochs=500, val_interval=25, batch=512, lr=0.4)
param_scheduler = dict(eta_min_ratio=1e-3)
sync_bn = 'torch'
