# SimCLR: two views against all others of the batch; k-means only for the log.
parts = ['views/normalise']
facts = dict(temperature=0.1)
network = dict(embed='{width}', project=128)
model = dict(
    type='SimCLR',
    temperature='{temperature}',
    projector=dict(
        type='MLPProjector', in_channels='{width}', hid_channels='{width}', out_channels='{project}', norm=False))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans', num_clusters='{num_clusters}'))
