# FixMatch on a small CNN from random weights; labels come from a hook of the config that uses it.
weak = [dict(type='BatchAffine', degrees=10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=(-5.7, 5.7))]
strong = [dict(type='BatchAffine', degrees=20, translate=(0.15, 0.15), scale=(0.8, 1.2), shear=(-12, 12))]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=[77.8], std=[95.9],
                           views=dict(labelled=[weak], unlabelled=[weak, strong])),
    backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
    head=dict(type='LinearClusterHead', in_channels=128, num_clusters=10),
    labeller=dict(type='SelectedLabels'),
    pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=10),
    teacher=dict(decay=0.99, buffers='live'))
