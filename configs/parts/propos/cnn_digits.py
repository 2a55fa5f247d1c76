# ProPos with a small CNN on digits: a minute on two CPU cores.
parts = ['nets/cnn_digits', 'propos/method', 'views/affine_digits', 'schedules/propos']
facts = dict(warmup=60, hidden=256, epochs=200, rate_warmup=5, batch=128)
network = dict(embed=64)
hooks = dict(kmeans=dict(n_init=10))
