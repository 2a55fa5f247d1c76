# SimCLR with a small CNN on photographs of hands, in the views of CC: minutes on one CPU thread.
parts = ['nets/cnn_photos', 'simclr/method', 'views/turned_crops', 'schedules/adam_to_zero']
facts = dict(temperature=0.5, epochs=100, val_interval=50, batch=128, lr=1e-3)
model = dict(channels_last=True)
