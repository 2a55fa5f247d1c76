# SCAN's clustering step on any features: an image and one of its neighbours share a cluster. Both are strong views.
parts = ['views/normalise', 'schedules/scan']
facts = dict(num_neighbors=20, entropy_weight=5., heads=1, batch=128, mined='project')
model = dict(
    type='SCAN',
    num_neighbors='{num_neighbors}',
    entropy_weight='{entropy_weight}',
    bank=dict(num_samples=None),
    data_preprocessor=dict(views=['{strong}']),
    base='{on.network}',
    head=dict(type='MultiHead', num_heads='{heads}', head=dict(
        type='LinearClusterHead', num_clusters='{num_clusters}')))
train_dataloader = dict(sampler=dict(streams=dict(
    anchor=dict(size='{batch}'), neighbor=dict(of='anchor', pool='neighbors'))))
hooks = dict(
    neighbors=dict(type='NeighborHook', output='{mined}', network='{on.model}'),
    best=dict(type='BestHeadHook'))
metrics = dict(head=dict(type='ClusteringMetric', source='head'))
