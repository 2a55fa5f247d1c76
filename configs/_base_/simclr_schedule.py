# SimCLR as SCAN trains it: SGD, 500 epochs, a cosine to a thousandth that moves once an epoch, batch norm over the
# whole batch. lr is for the global batch of 512.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=500, val_interval=25)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.4, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type='CosineAnnealingLR', T_max=500, eta_min_ratio=1e-3)
sync_bn = 'torch'
auto_scale_lr = dict(base_batch_size=512)
