# SimCLR with a small CNN on MNIST, in the views and under the schedule of CC.
parts = ['nets/cnn_mnist', 'simclr/method', 'views/strong_mnist', 'schedules/adam_to_zero']
facts = dict(temperature=0.5, epochs=10, val_interval=5, batch=256, lr=2e-3)
network = dict(project=64, mean=[0.], std=[255.])
