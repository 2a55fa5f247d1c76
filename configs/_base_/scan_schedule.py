# SCAN: Adam at a constant rate, batch norm over the whole batch; epochs are those of the config that uses it.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=50, val_interval=5)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4, weight_decay=1e-4))
sync_bn = 'torch'
