# IDFD with a small CNN on 8 x 8 digits: a minute on a CPU core.
parts = ['nets/cnn_digits', 'idfd/method', 'views/strong_digits']
facts = dict(epochs=200, milestones=[60, 95, 130, 165], val_interval=50)
network = dict(embed=64)
model = dict(data_preprocessor=dict(views=['{view}']))
