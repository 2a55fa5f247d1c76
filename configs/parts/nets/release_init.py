# The initialisation of ProPos' release: torch's own for the stem, Kaiming for other convolutions, norms at one.
model = dict(backbone=dict(init_cfg=[
    dict(type='Kaiming', layer='Conv2d', override=dict(
        type='Kaiming', name='conv1', a=5**0.5, mode='fan_in', nonlinearity='leaky_relu', distribution='uniform')),
    dict(type='Constant', val=1, layer='_BatchNorm'),
]))
