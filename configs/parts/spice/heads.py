# SPICE's ten heads on a frozen base: in an E-step, `rows` images are labelled by the centres of the most confident
# ones; the head with the lowest loss is kept.
parts = ['views/normalise', 'schedules/spice_heads']
model = dict(
    type='SPICE',
    bank=dict(num_samples=None),
    data_preprocessor=dict(views=['{weak}', '{strong}']),
    base='{on.network}',
    head=dict(type='MultiHead', num_heads=10, head=dict(
        type='MLPClusterHead', num_clusters='{num_clusters}')))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{rows}'))))
hooks = dict(features=dict(type='FeatureHook'), best=dict(type='BestHeadHook'))
metrics = dict(
    kmeans=dict(type='ClusteringMetric', source='kmeans'),
    head=dict(type='ClusteringMetric', source='head'))
