# GCC with a small CNN on photographs of hands: minutes on one CPU thread.
parts = ['nets/cnn_photos', 'views/simclr', 'gcc/method', 'schedules/contrastive_digits']
facts = dict(
    epochs=100, val_interval=20, lr=0.1, graph_begin=11, least_area=0.4,
    jitter=dict(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2),
    view=[dict(type='BatchAffine', degrees=20), '{crop}', '{jitter}', '{grey}'])
model = dict(channels_last=True)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
