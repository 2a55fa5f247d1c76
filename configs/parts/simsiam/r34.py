# SimSiam with the CIFAR-stem ResNet-34.
parts = ['nets/r34_cifar', 'nets/release_init', 'simsiam/method', 'views/simclr', 'schedules/simsiam']
