# BYOL with a small CNN on photographs of hands: minutes on one CPU thread.
parts = ['nets/cnn_photos', 'byol/method', 'views/turned_crops', 'schedules/propos']
facts = dict(hidden=512, epochs=100, val_interval=50, rate_warmup=5, batch=128)
network = dict(embed=128)
model = dict(channels_last=True)
