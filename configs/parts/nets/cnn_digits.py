# A small CNN for 8 x 8 grey images.
model = dict(backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)))
network = dict(width=128)
