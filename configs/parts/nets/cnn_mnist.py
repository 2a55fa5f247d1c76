# A small CNN for grey images of 28 pixels: five stages, the last map is 2 x 2, so that every entry has seen the whole.
model = dict(backbone=dict(type='SmallCNN', in_channels=1, widths=(16, 32, 64, 128, 256)), channels_last=True)
network = dict(width=256)
