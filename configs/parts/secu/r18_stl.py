# SeCu with the ResNet-18 of 96 pixels. Its centres learn from soft labels (temperature 1).
parts = ['nets/r18_stl', 'secu/images']
facts = dict(epochs=801, center_rate=4.)
model = dict(center_temperature=1.)
