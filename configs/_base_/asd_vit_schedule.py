# ASD on a pre-trained vision transformer, USB's schedule: 204,800 iterations as 200 epochs of (in the config's sampler)
# 1024, five of them warm-up; lower layers learn more slowly, and there is no average of the weights.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=10)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=5e-4),
    paramwise_cfg=dict(no_decay='ndim', layer_decay=0.65))
param_scheduler = dict(type='FixMatchCosineLR', total_epochs=200, warmup_epochs=5, convert_to_iter_based=True)
find_unused_parameters = True  # no cluster losses before the first map
auto_scale_lr = dict(base_batch_size=32)  # rows of the first stream, the unlabelled one
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
