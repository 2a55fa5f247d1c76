# RUC with ASD's labels at the size of digits.
parts = ['ruc/asd', 'ruc/method', 'ruc/views_digits']
facts = dict(epochs=80, val_interval=8, length=14, unlabelled=128, window=100, map_interval=100)
