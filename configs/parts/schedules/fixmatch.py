# SGD with Nesterov momentum under FixMatch's cosine; no decay of norms and biases.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr='{lr}', momentum=0.9, nesterov=True, weight_decay=5e-4),
    paramwise_cfg=dict(no_decay='ndim'))
param_scheduler = dict(type='FixMatchCosineLR', total_epochs='{epochs}', convert_to_iter_based=True)
