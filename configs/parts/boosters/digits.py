# A booster at the size of digits.
parts = ['select/by_embedding', 'views/weak_strong_digits']
facts = dict(epochs=8, val_interval=4, length=50, unlabelled=192, decay=0.99, share=0.2)
