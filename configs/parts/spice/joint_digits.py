# SPICE's joint training on digits.
parts = ['nets/cnn_digits', 'schedules/fixmatch', 'spice/labels', 'views/weak_strong_digits']
facts = dict(
    epochs=10, val_interval=5, length=50, lr=0.03, unlabelled=192, decay=0.99, consistent=dict(k=50))
