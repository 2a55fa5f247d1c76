# TCL: CC's two contrasts between a weak and a strong view up to epoch `boost`, then boosting by labels of which the head
# is sure. The result is the cluster head's.
parts = ['views/normalise', 'schedules/adam']
facts = dict(epochs=1200, boost=1000, val_interval=50, batch=1024, lr=1e-4)
network = dict(embed='{width}', project=128)
model = dict(
    type='TCL',
    threshold=0.99,
    share=0.5,
    bank=dict(num_samples=None),
    neck=dict(type='LinearNeck', in_channels='{width}', out_channels='{embed}', norm_cfg=None),
    projector=dict(
        type='PreNormMLP', in_channels='{embed}', hid_channels='{embed}', out_channels='{project}'),
    head=dict(type='PreNormClusterHead', num_clusters='{num_clusters}'))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
hooks = dict(boosting=dict(type='ScheduleHook', param='boosting', steps=[(0, 0.), ('{boost}', 1.)]))
metrics = dict(
    head=dict(type='ClusteringMetric', source='head'),
    kmeans=None)    # a place for small sets
