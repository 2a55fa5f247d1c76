# SCAN's self-labelling on the checkpoint of the clustering step, CIFAR-stem ResNet-18. The loss has the release's
# threshold, 0.99, and balance of classes by default.
mean, std = [125.307, 122.961, 113.8575], [51.5865, 50.847, 51.255]
strong = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=16, colour=mean),
]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=mean, std=std, views=dict(unlabelled=[[], strong])),
    base=dict(
        type='SCAN',
        num_neighbors=20,
        bank=dict(num_samples=None),
        backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
        head=dict(type='MultiHead', num_heads=1, head=dict(type='LinearClusterHead', in_channels=512, num_clusters=10)),
        init_cfg=dict(type='Pretrained', checkpoint='{scan_cluster}')),
    pseudo_label_loss=dict(type='ConfidenceLoss', num_clusters=10))
