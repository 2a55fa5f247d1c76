# SimCLR with a small CNN on digits.
parts = ['nets/cnn_digits', 'simclr/method', 'views/strong_digits', 'schedules/contrastive_digits']
facts = dict(temperature=0.5, lr=0.1)
network = dict(project=64)
