# ProPos with a small CNN on MNIST: minutes on a CPU core. So short a schedule needs a faster momentum network.
parts = ['nets/cnn_mnist', 'propos/method', 'views/strong_mnist', 'schedules/propos']
facts = dict(warmup=3, hidden=512, epochs=10, val_interval=5, rate_warmup=1, decay=0.99)
network = dict(embed=64)
