# TEMI on frozen features, as in the release: 16 heads, 50 neighbours, 100 epochs of which 20 warm up.
parts = ['views/normalise']
facts = dict(
    epochs=100, val_interval=20, num_neighbors=50, heads=16, batch=1024, lr=4e-4, warm_up=20, hidden=512,
    bottleneck=256, decay=0.996)
model = dict(
    type='TEMI',
    num_neighbors='{num_neighbors}',
    decay='{decay}',
    bank=dict(num_samples=None),
    data_preprocessor=dict(views=[[]]),
    head=dict(type='MultiHead', num_heads='{heads}', head=dict(
        type='CosineClusterHead', num_clusters='{num_clusters}', hid_channels='{hidden}',
        bottleneck='{bottleneck}')))
train_dataloader = dict(sampler=dict(streams=dict(
    anchor=dict(size='{batch}'), neighbor=dict(of='anchor', pool='neighbors'))))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='AdamW', lr='{lr}', weight_decay=1e-4),
    paramwise_cfg=dict(bias_decay_mult=0., custom_keys=dict(gain=dict(decay_mult=0.))))
param_scheduler = dict(
    type='LinearLR', start_factor=1e-3, begin=0, end='{warm_up}', by_epoch=True, convert_to_iter_based=True)
find_unused_parameters = True
hooks = dict(
    last_layer=dict(type='ScheduleHook', param='last_layer', steps=[(0, 0.), (1, 1.)]),
    neighbors=dict(type='NeighborHook', include_self=False),
    best=dict(type='BestHeadHook'))
metrics = dict(head=dict(type='ClusteringMetric', source='head'))
