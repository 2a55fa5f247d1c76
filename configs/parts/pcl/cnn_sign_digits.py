# PCL with a small CNN on photographs of hands: minutes on one CPU thread. Temperature and optimiser are those of
# moco/cnn_sign_digits_symmetric; prototypes wait until there are clusters.
parts = ['nets/cnn_photos', 'pcl/method', 'views/turned_crops', 'schedules/moco_symmetric']
facts = dict(
    queue=1024, epochs=100, val_interval=50, rate_warmup=5, batch=64, lr=1e-3, warmup=60, granularities=[20, 40, 80])
network = dict(project=128)
model = dict(channels_last=True, temperature=0.2)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr='{lr}'))
