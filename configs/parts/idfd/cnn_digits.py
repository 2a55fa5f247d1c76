# IDFD with a small CNN on 8 x 8 digits: three minutes on a CPU core.
parts = ['nets/cnn_digits', 'idfd/method', 'views/strong_digits']
facts = dict(epochs=600, milestones=[180, 285, 390, 495], val_interval=100)
network = dict(embed=64)
model = dict(data_preprocessor=dict(views=['{view}']))
