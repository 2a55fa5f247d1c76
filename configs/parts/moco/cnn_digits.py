# MoCo v2 with a small CNN on digits.
parts = ['nets/cnn_digits', 'moco/method', 'views/affine_digits', 'schedules/contrastive_digits']
facts = dict(queue=1024, decay=0.99, lr=0.06)
network = dict(project=64)
