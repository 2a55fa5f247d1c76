# SPICE's joint training: FixMatch from a random start with the CIFAR-stem ResNet-18 and FixMatch's views.
# `heads` is the network of the stage before, which labels the images; a config hands it to its SelectHook.
weak = [dict(type='BatchRandomCrop', size=32, padding=4, flip_prob=0.5, padding_mode='constant')]
strong = [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')] + weak
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[125.3, 123.0, 113.9],
        std=[63.0, 62.1, 66.7],
        views=dict(labelled=[weak], unlabelled=[weak, strong])),
    backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
    head=dict(type='LinearClusterHead', in_channels=512, num_clusters=10),
    labeller=dict(type='SelectedLabels'),
    pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=10),
    teacher=dict(decay=0.999, buffers='live'))
heads = dict(
    type='SPICE',
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
    head=dict(type='MultiHead', num_heads=10, head=dict(type='MLPClusterHead', in_channels=512, num_clusters=10)))
