# WRN-37-2, FixMatch's network for STL-10.
model = dict(backbone=dict(type='WideResNet', depth=37, widen_factor=2))
network = dict(width=256)
