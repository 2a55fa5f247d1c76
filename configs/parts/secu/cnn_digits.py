# SeCu with a small CNN on 8 x 8 digits.
parts = ['nets/cnn_digits', 'secu/method', 'views/affine_digits']
facts = dict(epochs=100, val_interval=25, center_rate=6.)
network = dict(embed=64)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
