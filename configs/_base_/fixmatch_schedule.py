# FixMatch and its successors: 2^20 iterations as 1024 epochs of (in the config's sampler) 1024, no warm-up.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1024, val_interval=16)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.03, momentum=0.9, nesterov=True, weight_decay=5e-4),
    paramwise_cfg=dict(no_decay='ndim'))
param_scheduler = dict(type='FixMatchCosineLR', total_epochs=1024, convert_to_iter_based=True)
sync_bn = 'torch'
auto_scale_lr = dict(base_batch_size=64)  # rows of the first stream, the labelled one
