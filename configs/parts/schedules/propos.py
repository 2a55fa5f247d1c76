# SGD under a cosine with a linear warm-up; the predictor learns ten times as fast. lr is for `batch` images.
facts = dict(epochs=1000, val_interval=50, rate_warmup=50, batch=256, lr=0.05)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr='{lr}', momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(lr_mult=dict(predictor=10.)))
param_scheduler = dict(
    type='WarmupCosineLR', total_epochs='{epochs}', warmup_epochs='{rate_warmup}', convert_to_iter_based=True)
auto_scale_lr = dict(base_batch_size='{batch}')
