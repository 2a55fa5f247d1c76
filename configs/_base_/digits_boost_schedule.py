# Boosters on digits: Nesterov SGD under FixMatch's cosine; a config sets the epochs, of both train_cfg and schedule.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=10, val_interval=4)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.03, momentum=0.9, nesterov=True, weight_decay=5e-4),
    paramwise_cfg=dict(no_decay='ndim'))
param_scheduler = dict(type='FixMatchCosineLR', total_epochs=10, convert_to_iter_based=True)
val_evaluator = [
    dict(type='ClusteringMetric', source='kmeans', num_clusters=10),
    dict(type='ClusteringMetric', source='head'),
]
test_evaluator = val_evaluator
