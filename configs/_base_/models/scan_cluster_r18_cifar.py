# SCAN's clustering step on a SimCLR checkpoint with the CIFAR-stem ResNet-18; one linear head. Anchors and neighbours
# are strong views; the release's crop of 32 from 32 pixels is left out, since it moves nothing.
mean, std = [125.307, 122.961, 113.8575], [51.5865, 50.847, 51.255]
strong = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=16, colour=mean),
]
simclr = dict(
    type='SimCLR',
    backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
    projector=dict(type='MLPProjector', in_channels=512, hid_channels=512, out_channels=128, norm=False))
model = dict(
    type='SCAN',
    num_neighbors=20,
    entropy_weight=5.,
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=mean, std=std, views=[strong]),
    base=dict(**simclr, init_cfg=dict(type='Pretrained', checkpoint='{simclr}')),
    head=dict(type='MultiHead', num_heads=1, head=dict(type='LinearClusterHead', in_channels=512, num_clusters=10)))
