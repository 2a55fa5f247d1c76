# CC with a small CNN on MNIST: minutes on a CPU core.
parts = ['nets/cnn_mnist', 'cc/method', 'views/strong_mnist']
facts = dict(hidden=256, epochs=10, val_interval=5, lr=1e-3)
network = dict(project=64, mean=[0.], std=[255.])
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
