# MoCo v2 with a small CNN on photographs of hands, in the views of CC: minutes on one CPU thread. A faster key network,
# decay 0.99, drew all features together.
parts = ['nets/cnn_photos', 'moco/method', 'views/turned_crops', 'schedules/adam_to_zero']
facts = dict(queue=1024, decay=0.999, epochs=100, val_interval=50, rate_warmup=5, batch=64, lr=1e-3)
model = dict(channels_last=True)
