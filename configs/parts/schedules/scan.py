# SCAN: Adam at a constant rate.
facts = dict(lr=1e-4)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr='{lr}', weight_decay=1e-4))
