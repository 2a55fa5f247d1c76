# SCAN's self-labelling on digits.
parts = ['scan/confident', 'views/scan_digits']
facts = dict(epochs=10, val_interval=5, batch=256)
