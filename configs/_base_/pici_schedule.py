# PICI: 200 epochs of pre-training, 800 of training and 50 of boosting by one Adam at one rate; k-means labels are made
# once, when boosting begins, from the projections of one augmented and masked draw. The result is the cluster head's.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1050, val_interval=50)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4))
find_unused_parameters = True
custom_hooks = [
    dict(type='ScheduleHook', param='pisd', steps=[(0, 1.), (1000, 0.)]),
    dict(type='ScheduleHook', param='picd', steps=[(0, 0.), (200, 1.)]),
    dict(type='ScheduleHook', param='cli', steps=[(0, 0.), (1000, 1.)]),
    dict(
        type='KMeansHook',
        field='view_label',
        output='project',
        views='train',
        per_view=True,
        begin=1000,
        interval=-1,
        metric='euclidean',
        n_init=100,
        scale='set',
        batch_size=96,
        num_workers=8),
]
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
