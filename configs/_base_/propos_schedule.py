# ProPos: SGD, 1000 epochs, 50 of them warm-up, E-step every epoch. lr is for the global batch of 256.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1000, val_interval=50)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(lr_mult=dict(predictor=10.)))
param_scheduler = dict(type='WarmupCosineLR', total_epochs=1000, warmup_epochs=50, convert_to_iter_based=True)
auto_scale_lr = dict(base_batch_size=256)
