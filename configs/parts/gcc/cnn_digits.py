# GCC with a small CNN on 8 x 8 digits.
parts = ['nets/cnn_digits', 'views/strong_digits', 'gcc/method', 'schedules/contrastive_digits']
facts = dict(epochs=120, val_interval=30, lr=0.1, graph_begin=11)
network = dict(project=64)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
