# IDFD with a small CNN on photographs of hands: minutes on one CPU thread.
parts = ['nets/cnn_photos', 'idfd/method', 'views/idfd']
facts = dict(epochs=200, milestones=[60, 95, 130, 165], val_interval=50)
model = dict(channels_last=True, temperature=0.2)
