# BYOL with the CIFAR-stem ResNet-18.
parts = ['nets/r18_cifar', 'nets/release_init', 'byol/method', 'views/simclr', 'schedules/propos']
