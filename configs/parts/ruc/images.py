# RUC with its own labels.
parts = ['ruc/clean', 'ruc/method', 'ruc/views']
