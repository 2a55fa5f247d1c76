# MoCo v2 with a small CNN on MNIST, in the views and under the schedule of CC. So short a schedule needs a faster key
# network.
parts = ['nets/cnn_mnist', 'moco/method', 'views/strong_mnist', 'schedules/adam_to_zero']
facts = dict(queue=4096, decay=0.99, epochs=10, val_interval=5, batch=256, lr=2e-3)
network = dict(project=64, mean=[0.], std=[255.])
