# WRN-28-2 from a random start with a few given labels; evaluation uses the average of its weights.
weak = [dict(type='BatchRandomCrop', size=32, padding=4, flip_prob=0.5)]
strong = weak + [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[125.3, 123.0, 113.9],
        std=[63.0, 62.1, 66.7],
        views=dict(labelled=[weak], unlabelled=[weak, strong])),
    backbone=dict(type='WideResNet', depth=28, widen_factor=2),
    head=dict(type='LinearClusterHead', in_channels=128, num_clusters=10),
    labeller=dict(type='SelectedLabels'),
    pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=10),
    teacher=dict(decay=0.999, buffers='live'))
