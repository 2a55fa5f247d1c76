# ASD on the CIFAR-stem ResNet-18 from random weights.
parts = ['nets/r18_cifar', 'asd/new_head']
