# BYOL: ProPos without its two terms; k-means every 10 epochs only for the log.
parts = ['views/normalise']
facts = dict(hidden=4096, decay=0.996)
network = dict(embed=256)
model = dict(
    type='BYOL',
    bank=dict(num_samples=None, fields=dict(label=dict())),
    neck=dict(type='MLPProjector', in_channels='{width}', hid_channels='{hidden}', out_channels='{embed}'),
    predictor=dict(type='MLPProjector', in_channels='{embed}', hid_channels='{hidden}', out_channels='{embed}',
                   init='normal_0.01'))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
hooks = dict(
    decay=dict(type='ScheduleHook', param='teacher.decay', cosine=dict(start='{decay}', end=1.)),
    kmeans=dict(type='KMeansHook', num_clusters='{num_clusters}', interval=10))
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans', num_clusters='{num_clusters}'))
