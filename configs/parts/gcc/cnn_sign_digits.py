# GCC with a small CNN on photographs of hands; its settings have not been measured.
parts = ['nets/cnn_photos', 'views/turned_crops', 'gcc/method', 'schedules/contrastive_digits']
facts = dict(epochs=100, val_interval=20, lr=0.1, graph_begin=11)
model = dict(channels_last=True)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
