# BYOL + PCL with a small CNN on digits.
parts = ['byol/cnn_digits', 'pcl/on_byol']
facts = dict(warmup=30, granularities=[20, 40, 80])
