# MoCo v2 with a small CNN on photographs of hands, in the views of CC: minutes on one CPU thread. So short a schedule needs
# a faster key network.
parts = ['nets/cnn_photos', 'moco/method', 'views/turned_crops', 'schedules/adam_to_zero']
facts = dict(queue=1024, decay=0.99, epochs=100, val_interval=50, batch=128, lr=1e-3)
model = dict(channels_last=True)
