# SeCu with a small CNN on photographs of hands; the projector as on digits.
parts = ['nets/cnn_photos', 'secu/method', 'views/secu']
facts = dict(epochs=100, val_interval=20, lr=0.05, center_rate=24., least_area=0.4)
network = dict(embed=64)
model = dict(channels_last=True, neck=dict(last_bn=True))
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
