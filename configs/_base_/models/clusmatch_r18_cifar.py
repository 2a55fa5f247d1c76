# ClusMatch on a ProPos checkpoint with the CIFAR-stem ResNet-18.
weak = [dict(type='BatchRandomCrop', size=32, padding=4, flip_prob=0.5)]
strong = weak + [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[125.307, 122.961, 113.8575],
        std=[51.5865, 50.847, 51.255],
        views=dict(labelled=[weak], unlabelled=[weak, strong])),
    base=dict(
        type='ProPos',
        num_clusters=10,
        bank=dict(num_samples=None),
        backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
        neck=dict(type='MLPProjector', in_channels=512, hid_channels=4096, out_channels=256),
        predictor=dict(type='MLPProjector', in_channels=256, hid_channels=4096, out_channels=256),
        init_cfg=dict(type='Pretrained', checkpoint='{propos}')),
    head=dict(type='LinearClusterHead', in_channels=256, num_clusters=10),
    labeller=dict(type='SelectedLabels'),
    pseudo_label_loss=dict(type='ClusMatchLoss', num_clusters=10),
    teacher=dict(decay=0.999, buffers='live'))
