# SimSiam with a small CNN on photographs of hands: minutes on one CPU thread.
parts = ['nets/cnn_photos', 'simsiam/method', 'views/turned_crops', 'schedules/simsiam']
facts = dict(hidden=128, epochs=200, val_interval=20, rate_warmup=5, batch=128, lr=0.05)
network = dict(embed=512)
model = dict(channels_last=True)
