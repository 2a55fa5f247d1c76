# SeCu with a small CNN on photographs of hands.
parts = ['nets/cnn_photos', 'secu/method', 'views/secu']
facts = dict(epochs=100, val_interval=20, center_rate=6., least_area=0.4)
network = dict(embed=64)
model = dict(channels_last=True)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
