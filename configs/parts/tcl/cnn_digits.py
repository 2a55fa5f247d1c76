# TCL with a small CNN on 8 x 8 digits: a minute on a CPU core.
parts = ['nets/cnn_digits', 'tcl/method', 'views/tcl_digits']
facts = dict(epochs=120, boost=90, val_interval=30, batch=128, lr=1e-3)
network = dict(project=64)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
