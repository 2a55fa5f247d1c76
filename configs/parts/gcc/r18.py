# GCC with the CIFAR-stem ResNet-18.
parts = ['nets/r18_cifar', 'gcc/images']
facts = dict(batch=256, zoom=40)
