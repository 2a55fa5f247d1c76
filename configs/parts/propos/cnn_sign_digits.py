# ProPos with a small CNN on photographs of hands, as byol/cnn_sign_digits: minutes on one CPU thread.
parts = ['nets/cnn_photos', 'propos/method', 'views/turned_crops', 'schedules/propos']
facts = dict(hidden=512, epochs=100, val_interval=50, rate_warmup=5, warmup=40, batch=64, decay=0.9)
network = dict(embed=128)
model = dict(channels_last=True)
