# An autoencoder of linear layers, as DEC and IDEC have it, trained as a whole. Pixels are scaled so that their mean square
# is about 1: assignments are flat where the embedding is narrow. K-means on the embedding is logged.
parts = ['views/normalise', 'schedules/adam']
facts = dict(epochs=100, val_interval=50, batch=256, lr=1e-3, inside=(500, 500, 2000), outside=(2000, 500, 500))
network = dict(embed=10)
model = dict(
    type='Autoencoder',
    backbone=dict(type='Pixels'),
    neck=dict(type='PlainMLP', in_channels='{width}', hid_channels='{inside}', out_channels='{embed}'),
    decoder=dict(type='PlainMLP', in_channels='{embed}', hid_channels='{outside}', out_channels='{width}'),
    data_preprocessor=dict(views=[[]]))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
metrics = dict(kmeans=dict(
    type='ClusteringMetric', source='kmeans', num_clusters='{num_clusters}', metric='euclidean', n_init=20))
