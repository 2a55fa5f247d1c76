# WRN-28-2 for 32 pixels.
model = dict(backbone=dict(type='WideResNet', depth=28, widen_factor=2))
network = dict(width=128)
