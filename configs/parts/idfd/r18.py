# IDFD with the CIFAR-stem ResNet-18.
parts = ['nets/r18_cifar', 'idfd/method', 'views/idfd']
