# RUC on SCAN's self-labelled network and on SimCLR's, CIFAR-stem ResNet-18. The config that uses it sets custom_hooks.
mean, std = [125.307, 122.961, 113.8575], [51.5865, 50.847, 51.255]
weak = [dict(type='BatchRandomResizedCrop', size=32, scale=(0.2, 1.), flip_prob=0.5)]
strong = [
    *weak,
    dict(type='BatchFixMatchRandAugment', num_ops=2),
    dict(type='BatchSquareCutout', max_side=16, colour=mean),
]
clustering = dict(
    type='Boost',
    backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
    head=dict(type='LinearClusterHead', in_channels=512, num_clusters=10))
embedding = dict(
    type='SimCLR',
    backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
    projector=dict(type='MLPProjector', in_channels=512, hid_channels=512, out_channels=128, norm=False))
model = dict(
    type='RUC',
    bank=dict(num_samples=None),
    data_preprocessor=dict(
        type='ViewPreprocessor', mean=mean, std=std, views=dict(unlabelled=[[], weak, weak, strong])),
    base=dict(**clustering, init_cfg=dict(type='Pretrained', checkpoint='{scan_selflabel}')),
    head=dict(type='LinearClusterHead', in_channels=512, num_clusters=10))
