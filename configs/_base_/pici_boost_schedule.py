# Boosters on PICI: 20 epochs of (in the config's sampler) 256 iterations, AdamW under FixMatch's cosine.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=20, val_interval=5)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=5e-5, weight_decay=0.05),
    paramwise_cfg=dict(no_decay='ndim'))
param_scheduler = dict(type='FixMatchCosineLR', total_epochs=20, convert_to_iter_based=True)
