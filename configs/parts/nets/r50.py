# torchvision's ResNet-50 for 224 pixels.
model = dict(backbone=dict(type='ResNet', depth=50, zero_init_residual=False))
network = dict(width=2048)
