# ProPos with the CIFAR-stem ResNet-18; num_clusters, mean, std are set by the config that uses it.
simclr = [
    dict(type='BatchRandomResizedCrop', size=32, scale=(0.08, 1.), flip_prob=0.5),
    dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='BatchGrayscale', prob=0.2),
]
model = dict(
    type='ProPos',
    num_clusters=10,
    psl_weight=0.1,
    sigma=0.001,
    temperature=0.5,
    decay=0.996,
    bank=dict(num_samples=None),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[125.307, 122.961, 113.8575],
        std=[51.5865, 50.847, 51.255],
        views=[simclr, simclr]),
    backbone=dict(
        type='ResNet_CIFAR',
        depth=18,
        zero_init_residual=False,
        init_cfg=[
            dict(type='Kaiming', layer='Conv2d', override=dict(
                type='Kaiming', name='conv1', a=5**0.5, mode='fan_in', nonlinearity='leaky_relu',
                distribution='uniform')),
            dict(type='Constant', val=1, layer='_BatchNorm'),
        ]),
    neck=dict(type='MLPProjector', in_channels=512, hid_channels=4096, out_channels=256),
    predictor=dict(type='MLPProjector', in_channels=256, hid_channels=4096, out_channels=256, init='normal_0.01'))
