# A family's small CNN for photographs on a folder, sized for a CPU: its part `<family>/cnn_sign_digits` follows.
parts = ['folder/data']
facts = dict(size=32, padding=4, cutout=16, flip=0.)
