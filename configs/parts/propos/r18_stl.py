# ProPos with the ResNet-18 of 64 and 96 pixels.
parts = ['nets/r18_stl', 'propos/method', 'views/simclr', 'schedules/propos']
