# SimSiam: each view's prediction regresses the other view's projection; k-means only for the log.
parts = ['views/normalise']
facts = dict(hidden=512)
network = dict(embed=2048)
model = dict(
    type='SimSiam',
    neck=dict(
        type='MLPProjector', in_channels='{width}', hid_channels='{embed}', out_channels='{embed}', last_bn=True),
    predictor=dict(type='MLPProjector', in_channels='{embed}', hid_channels='{hidden}', out_channels='{embed}'))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans', num_clusters='{num_clusters}'))
