# BYOL + PCL with the CIFAR-stem ResNet-18.
parts = ['nets/r18_cifar', 'nets/release_init', 'byol/method', 'pcl/on_byol', 'views/simclr', 'schedules/propos']
