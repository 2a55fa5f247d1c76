# SPICE's ten heads on a MoCo checkpoint with the CIFAR-stem ResNet-18; ImageNet's mean and std, as in stage one.
mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
weak = [dict(type='BatchRandomCrop', size=32, padding=4, flip_prob=0.5, padding_mode='constant')]
strong = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=16, colour=mean),
]
model = dict(
    type='SPICE',
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=mean, std=std, views=[weak, strong]),
    base=dict(
        type='MoCo',
        queue_size=10240,
        backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
        projector=dict(type='MLPProjector', in_channels=512, hid_channels=512, out_channels=128, norm=False),
        init_cfg=dict(type='Pretrained', checkpoint='{moco}')),
    head=dict(type='MultiHead', num_heads=10, head=dict(type='MLPClusterHead', in_channels=512, num_clusters=10)))
