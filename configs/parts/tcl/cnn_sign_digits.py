# TCL with a small CNN on photographs of hands: minutes on one CPU thread.
parts = ['nets/cnn_photos', 'tcl/method', 'views/tcl']
facts = dict(epochs=120, boost=100, val_interval=20, batch=128, lr=1e-3)
model = dict(channels_last=True)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
