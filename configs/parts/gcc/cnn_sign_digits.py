# GCC with a small CNN on photographs of hands: minutes on one CPU thread. Adam, as for CC there: the first steps of SGD
# throw all features to one point, from which they do not return.
parts = ['nets/cnn_photos', 'views/turned_crops', 'gcc/method', 'schedules/adam']
facts = dict(epochs=100, val_interval=20, batch=128, lr=1e-3, graph_begin=21)
model = dict(channels_last=True)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
