# PCL with a small CNN on photographs of hands: minutes on one CPU thread. At the
# temperature of 1 that the paper has it learns little in so few steps.
parts = ['nets/cnn_photos', 'pcl/method', 'views/turned_crops', 'schedules/moco_symmetric']
facts = dict(
    queue=1024, epochs=100, val_interval=50, rate_warmup=5, batch=64, lr=0.12, warmup=60, granularities=[20, 40, 80])
network = dict(project=128)
model = dict(channels_last=True, temperature=0.2)
