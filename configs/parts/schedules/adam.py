# Adam at one rate.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr='{lr}'))
