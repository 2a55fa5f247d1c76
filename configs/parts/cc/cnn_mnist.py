# CC with a small CNN on MNIST: a quarter of an hour on a CPU core. The rate falls to 0; forty epochs at a constant one,
# half as large, ended lower on another seed.
parts = ['nets/cnn_mnist', 'cc/method', 'schedules/adam_to_zero', 'views/strong_mnist']
facts = dict(hidden=256, epochs=30, val_interval=10, lr=2e-3)
network = dict(project=64, mean=[0.], std=[255.])
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
