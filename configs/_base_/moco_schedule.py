# MoCo v2 as SPICE trains it: SGD, 1000 epochs, a cosine that moves once an epoch. lr is for the global batch of 128.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1000, val_interval=50)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.015, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type='CosineAnnealingLR', T_max=1000)
auto_scale_lr = dict(base_batch_size=128)
