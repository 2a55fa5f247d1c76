# ASD_PS with a small CNN from random weights on MNIST, as on digits.
parts = [
    'nets/cnn_mnist', 'heads/linear', 'views/weak_strong_mnist', 'asd/labelled_first', 'asd/method', 'boosters/averaged',
    'schedules/fixmatch', 'asd/prototypes']
facts = dict(
    epochs=24, val_interval=8, length=100, lr=0.03, decay=0.99, unlabelled=280, window=100, map_interval=50)
model = dict(labeller=dict(reg=0.2))
train_dataloader = dict(sampler=dict(length='{length}'))
hooks = dict(select=dict(selector=dict(n_init=1)))
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
