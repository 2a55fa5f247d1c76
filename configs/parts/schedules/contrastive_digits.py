# Contrastive learning on digits: a cosine that moves every iteration.
facts = dict(epochs=200, val_interval=50, batch=128)
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr='{lr}', momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type='WarmupCosineLR', total_epochs='{epochs}', convert_to_iter_based=True)
