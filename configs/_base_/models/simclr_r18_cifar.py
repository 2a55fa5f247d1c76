# SimCLR with the CIFAR-stem ResNet-18, as SCAN trains it; mean and std are set by the config that uses it.
view = [
    dict(type='BatchRandomResizedCrop', size=32, scale=(0.2, 1.), flip_prob=0.5),
    dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='BatchGrayscale', prob=0.2),
]
model = dict(
    type='SimCLR',
    temperature=0.1,
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[125.307, 122.961, 113.8575],
        std=[51.5865, 50.847, 51.255],
        views=[view, view]),
    backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
    projector=dict(type='MLPProjector', in_channels=512, hid_channels=512, out_channels=128, norm=False))
