# CC with a small CNN on MNIST: a quarter of an hour on a CPU core. Under a rate that falls to 0 thirty epochs end above
# forty at a constant one.
parts = ['nets/cnn_mnist', 'cc/method', 'schedules/adam_to_zero', 'views/strong_mnist']
facts = dict(hidden=256, epochs=30, val_interval=10, lr=2e-3)
network = dict(project=64, mean=[0.], std=[255.])
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
