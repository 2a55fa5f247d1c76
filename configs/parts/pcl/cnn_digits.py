# PCL with a small CNN on digits.
parts = ['nets/cnn_digits', 'pcl/method', 'views/affine_digits', 'schedules/moco_symmetric']
facts = dict(
    queue=1024, epochs=100, val_interval=50, rate_warmup=5, batch=128, lr=0.06, warmup=30, granularities=[20, 40, 80])
network = dict(project=64)
