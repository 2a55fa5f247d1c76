# A network that processors like, for colour images of 24 to 32 pixels: few wide convolutions on small maps.
model = dict(
    backbone=dict(type='SmallCNN', in_channels=3, widths=(64, 128, 256), convs_per_stage=2, first_stride=2),
    channels_last=True)
network = dict(width=256)
