# ProPos: k-means on its embedding every epoch; prototypes and noise after the warm-up.
parts = ['views/normalise']
facts = dict(warmup=50, psl_weight=0.1, sigma=0.001, hidden=4096, decay=0.996)
network = dict(embed=256)
model = dict(
    type='ProPos',
    num_clusters='{num_clusters}',
    temperature=0.5,
    decay='{decay}',
    bank=dict(num_samples=None),
    neck=dict(type='MLPProjector', in_channels='{width}', hid_channels='{hidden}', out_channels='{embed}'),
    predictor=dict(type='MLPProjector', in_channels='{embed}', hid_channels='{hidden}', out_channels='{embed}',
                   init='normal_0.01'))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
hooks = dict(
    psl_weight=dict(type='ScheduleHook', param='psl_weight', steps=[(0, 0.), ('{warmup}', '{psl_weight}')]),
    sigma=dict(type='ScheduleHook', param='sigma', steps=[(0, 0.), ('{warmup}', '{sigma}')]),
    decay=None,     # a place for propos/rising_decay
    kmeans=dict(type='KMeansHook'))
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
