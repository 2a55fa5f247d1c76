# RUC: 200 epochs of each network, 400 of the Runner; Nesterov SGD, a cosine to 0 that moves once an epoch, batch norm
# over the whole batch. lr is for the global batch of 250. The network that rests has no gradient.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=400, val_interval=20)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4))
param_scheduler = dict(type='CosineAnnealingLR', T_max=400)
sync_bn = 'torch'
find_unused_parameters = True
auto_scale_lr = dict(base_batch_size=250)
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
