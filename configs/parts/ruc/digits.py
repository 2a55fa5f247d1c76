# RUC with its own labels at the size of digits, 40 epochs of each network.
parts = ['ruc/clean', 'ruc/method', 'ruc/views_digits']
facts = dict(epochs=80, val_interval=8, batch=128)
