# PCL with the CIFAR-stem ResNet-18.
parts = ['nets/r18_cifar', 'nets/release_init', 'pcl/method', 'views/simclr', 'schedules/moco_symmetric']
