# BYOL + PCL with a small CNN on photographs of hands: minutes on one CPU thread.
parts = ['byol/cnn_sign_digits', 'pcl/on_byol']
facts = dict(warmup=30, granularities=[20, 40, 80])
