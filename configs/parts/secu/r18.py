# SeCu with the CIFAR-stem ResNet-18.
parts = ['nets/r18_cifar', 'secu/images']
