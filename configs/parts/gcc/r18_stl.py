# GCC with the ResNet-18 of 96 pixels: a 3 x 3 stem and a max pool.
parts = ['nets/r18_stl', 'gcc/images']
facts = dict(batch=96, zoom=112)
