# MoCo v2 in both directions with a small CNN on digits: a minute on a CPU core.
parts = ['nets/cnn_digits', 'moco/symmetric', 'views/affine_digits', 'schedules/moco_symmetric']
facts = dict(queue=1024, epochs=100, val_interval=50, rate_warmup=5, batch=128, lr=0.06)
network = dict(project=64)
