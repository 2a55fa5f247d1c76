# BYOL with a small CNN on digits, as ProPos.
parts = ['nets/cnn_digits', 'byol/method', 'views/affine_digits', 'schedules/propos']
facts = dict(hidden=256, epochs=100, val_interval=50, rate_warmup=5, batch=128)
network = dict(embed=64)
