# CC with a small CNN on photographs of hands: minutes on one CPU thread.
parts = ['nets/cnn_photos', 'cc/method', 'views/turned_crops']
facts = dict(hidden=128, epochs=100, val_interval=20, batch=128, lr=1e-3)
model = dict(channels_last=True)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
