# A method of scikit-learn on pixels in [0, 1], or on features that are the data set.
parts = ['classical/method']
network = dict(mean=[0.], std=[255.])
model = dict(backbone=dict(type='Pixels'))
