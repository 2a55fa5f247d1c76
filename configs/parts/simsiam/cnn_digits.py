# SimSiam with a small CNN on digits: a minute on a CPU core.
parts = ['nets/cnn_digits', 'simsiam/method', 'views/affine_digits', 'schedules/simsiam']
facts = dict(hidden=64, epochs=200, rate_warmup=5, batch=128, lr=0.05)
network = dict(embed=256)
