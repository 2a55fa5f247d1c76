# ResNet-34 with the 3 x 3 stem for 32 pixels.
model = dict(backbone=dict(type='ResNet_CIFAR', depth=34, zero_init_residual=False))
network = dict(width=512)
