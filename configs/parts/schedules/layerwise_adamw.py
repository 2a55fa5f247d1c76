# Of pre-trained vision transformers, as USB has it: lower layers learn more slowly, five epochs of warm-up.
facts = dict(epochs=200, val_interval=10, rate_warmup=5, length=1024, lr=1e-4, layer_decay=0.65)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
train_dataloader = dict(sampler=dict(length='{length}'))
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr='{lr}', weight_decay=5e-4),
    paramwise_cfg=dict(no_decay='ndim', layer_decay='{layer_decay}'))
param_scheduler = dict(
    type='FixMatchCosineLR', total_epochs='{epochs}', warmup_epochs='{rate_warmup}', convert_to_iter_based=True)
