# A small CNN for colour photographs of 32 pixels.
model = dict(backbone=dict(type='SmallCNN', in_channels=3, widths=(16, 32, 64, 128, 256)))
network = dict(width=256)
