# MoCo v2 as ProPos compares with it, with the CIFAR-stem ResNet-18.
parts = ['nets/r18_cifar', 'nets/release_init', 'moco/symmetric', 'views/simclr', 'schedules/moco_symmetric']
