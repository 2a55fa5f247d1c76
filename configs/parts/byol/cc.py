# CC's contrast between images and between clusters on BYOL's projector.
model = dict(
    type='BYOLCC',
    temperature=0.5,
    cluster_temperature=1.,
    bank=None,
    head=dict(type='MLPClusterHead', num_clusters='{num_clusters}'))
hooks = dict(kmeans=None)
metrics = dict(head=dict(type='ClusteringMetric', source='head'))
