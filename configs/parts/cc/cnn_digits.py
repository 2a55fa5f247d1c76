# CC with a small CNN on 8 x 8 digits: a minute on a CPU core.
parts = ['nets/cnn_digits', 'cc/method', 'views/strong_digits']
facts = dict(hidden=128, epochs=120, val_interval=30, batch=128, lr=1e-3)
network = dict(project=64, mean=[0.], std=[255.])
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
