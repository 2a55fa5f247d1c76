# ASD in SCAN at the size of digits.
parts = ['asd/on_host', 'views/weak_strong_digits', 'views/scan_digits', 'schedules/scan', 'asd/fast_labels']
facts = dict(
    epochs=18, val_interval=6, length=50, lr=3e-4, decay=0.99, unlabelled=256, window=100, map_interval=100,
    weak=[dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))])
train_dataloader = dict(sampler=dict(length='{length}'))
