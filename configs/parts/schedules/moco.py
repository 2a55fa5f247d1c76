# MoCo v2 as SPICE trains it: SGD, a cosine that moves once an epoch. lr is for `batch` images.
facts = dict(epochs=1000, val_interval=50, batch=128, lr=0.015)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr='{lr}', momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type='CosineAnnealingLR', T_max='{epochs}')
auto_scale_lr = dict(base_batch_size='{batch}')
