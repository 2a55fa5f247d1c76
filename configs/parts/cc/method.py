# CC: rows and columns of one probability matrix are contrasted; the predictions are those of the cluster head. Pixels
# are scaled to [0, 1] and not standardised.
parts = ['views/normalise', 'schedules/adam']
facts = dict(epochs=1000, val_interval=50, batch=256, lr=3e-4)
network = dict(embed='{width}', project=128, mean=[0., 0., 0.], std=[255., 255., 255.])
model = dict(
    type='CC',
    projector=dict(
        type='MLPProjector', in_channels='{width}', hid_channels='{hidden}', out_channels='{project}', norm=False),
    head=dict(type='MLPClusterHead', num_clusters='{num_clusters}'))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
metrics = dict(
    head=dict(type='ClusteringMetric', source='head'),
    kmeans=None)    # a place for small sets
