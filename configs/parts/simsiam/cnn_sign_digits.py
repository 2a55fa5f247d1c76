# SimSiam with a small CNN on photographs of hands: minutes on one CPU thread. The predictor learns ten times as fast
# and slows down with the rest: see docs/en/methods/simsiam.md.
parts = ['nets/cnn_photos', 'simsiam/method', 'views/turned_crops', 'schedules/simsiam']
facts = dict(hidden=512, epochs=100, val_interval=50, rate_warmup=5, batch=64, lr=0.05)
network = dict(embed=512)
model = dict(channels_last=True)
optim_wrapper = dict(paramwise_cfg=dict(_delete_=True, lr_mult=dict(predictor=10.)))
