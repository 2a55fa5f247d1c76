# MoCo v2 in both directions with a small CNN on photographs of hands: minutes on one CPU thread. At the
# temperature of 1 that the paper has it learns little in so few steps; at 0.2 SGD may draw all features together at first.
parts = ['nets/cnn_photos', 'moco/symmetric', 'views/turned_crops', 'schedules/moco_symmetric']
facts = dict(queue=1024, epochs=100, val_interval=50, rate_warmup=5, batch=64, lr=1e-3)
network = dict(project=128)
model = dict(channels_last=True, temperature=0.2)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr='{lr}'))
