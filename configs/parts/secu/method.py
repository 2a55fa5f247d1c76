# SeCu: heads of K, 2 K, ... clusters classify by centres under a constraint on the sizes of clusters. The first epoch
# trains the centres alone. `center_rate` is their learning rate over that of the network.
parts = ['views/normalise', 'schedules/secu']
facts = dict(heads=10)
network = dict(embed=128)
model = dict(
    type='SeCu',
    temperature=0.05,
    label_weight=0.2,
    num_clusters='{num_clusters}',
    heads='{heads}',
    bank=dict(num_samples=None),
    neck=dict(type='MLPProjector', in_channels='{width}', hid_channels='{width}', out_channels='{embed}'))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
hooks = dict(centers=dict(type='PreviousCentersHook'))
metrics = dict(
    head=dict(type='ClusteringMetric', source='head'),
    kmeans=None)    # a place for small sets
