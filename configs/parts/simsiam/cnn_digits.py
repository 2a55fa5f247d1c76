# SimSiam with a small CNN on digits: a minute on a CPU core.
parts = ['nets/cnn_digits', 'simsiam/method', 'views/affine_digits', 'schedules/simsiam']
facts = dict(hidden=32, epochs=100, val_interval=50, rate_warmup=5, batch=128, lr=0.1)
network = dict(embed=64)
