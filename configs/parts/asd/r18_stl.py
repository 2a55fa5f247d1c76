# ASD on the ResNet-18 of 96 pixels from random weights.
parts = ['nets/r18_stl', 'asd/new_head']
