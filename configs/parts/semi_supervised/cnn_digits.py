# A small CNN on 8 x 8 digits: a minute on a CPU core.
parts = ['nets/cnn_digits', 'semi_supervised/method', 'views/weak_strong_digits']
facts = dict(epochs=16, val_interval=4, length=50, labelled=40, unlabelled=200, lr=0.03, decay=0.99)
