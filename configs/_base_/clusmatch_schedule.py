# ClusMatch: 64 epochs of (in the config's sampler) 1024 iterations, slow backbone, fast projector and head.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=64, val_interval=8)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.02, momentum=0.9, nesterov=True, weight_decay=5e-4),
    paramwise_cfg=dict(lr_mult=dict(backbone=0.01), no_decay='ndim'))
param_scheduler = dict(type='FixMatchCosineLR', total_epochs=64, convert_to_iter_based=True)
sync_bn = 'torch'
auto_scale_lr = dict(base_batch_size=64)  # rows of the first stream, the labelled one
