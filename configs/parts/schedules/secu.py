# SGD as SeCu has it: the network rests for an epoch, warms up until the eleventh, and falls by a cosine; the centres keep
# one rate. lr is for `batch` images.
facts = dict(epochs=401, val_interval=50, rest=1, rate_warmup=11, batch=128, lr=0.2)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr='{lr}', momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(lr_mult=dict(heads='{center_rate}'), constant_lr=['heads']))
param_scheduler = dict(
    type='WarmupCosineLR', total_epochs='{epochs}', warmup_epochs='{rate_warmup}', rest_epochs='{rest}',
    denominator='rest', convert_to_iter_based=True)
auto_scale_lr = dict(base_batch_size='{batch}')
