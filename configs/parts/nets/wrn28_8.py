# WRN-28-8, FixMatch's network for CIFAR-100.
model = dict(backbone=dict(type='WideResNet', depth=28, widen_factor=8))
network = dict(width=512)
