# BYOL with a small CNN on photographs of hands: minutes on one CPU thread. In 3,200 steps the momentum network follows
# closely, or nothing is learnt: see docs/en/methods/propos.md.
parts = ['nets/cnn_photos', 'byol/method', 'views/turned_crops', 'schedules/propos']
facts = dict(hidden=512, epochs=100, val_interval=50, rate_warmup=5, batch=64, decay=0.9)
network = dict(embed=128)
model = dict(channels_last=True)
