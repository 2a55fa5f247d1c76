# SimSiam with a small CNN on photographs of hands: minutes on one CPU thread.
parts = ['nets/cnn_photos', 'simsiam/method', 'views/turned_crops', 'schedules/simsiam']
facts = dict(hidden=64, epochs=100, val_interval=50, rate_warmup=5, batch=128, lr=0.1)
network = dict(embed=128)
model = dict(channels_last=True)
