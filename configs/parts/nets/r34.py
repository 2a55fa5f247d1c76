# torchvision's ResNet-34 for 224 pixels.
model = dict(backbone=dict(type='ResNet', depth=34, zero_init_residual=False))
network = dict(width=512)
