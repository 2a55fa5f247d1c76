# GCC with the ResNet-34 of 64 pixels.
parts = ['nets/r34_stl', 'gcc/images']
facts = dict(batch=128, zoom=80)
