# SeCu with a small CNN on 8 x 8 digits. The projector ends in batch norm: without it all images lie in one cone at first.
parts = ['nets/cnn_digits', 'secu/method', 'views/affine_digits']
facts = dict(epochs=600, val_interval=200, lr=0.05, center_rate=24.)     # a slow learner
network = dict(embed=64)
model = dict(neck=dict(last_bn=True))
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
