# MoCo v2 with the CIFAR-stem ResNet-18.
parts = ['nets/r18_cifar', 'moco/images']
