# IDFD with the ResNet-18 of 64 and 96 pixels.
parts = ['nets/r18_stl', 'idfd/method', 'views/idfd']
