# MoCo v2: a queue of keys; k-means only for the log.
parts = ['views/normalise']
facts = dict(queue=10240, decay=0.999)
network = dict(embed='{width}', project=128)
model = dict(
    type='MoCo',
    queue_size='{queue}',
    temperature=0.2,
    decay='{decay}',
    projector=dict(
        type='MLPProjector', in_channels='{width}', hid_channels='{width}', out_channels='{project}', norm=False))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans', num_clusters='{num_clusters}'))
