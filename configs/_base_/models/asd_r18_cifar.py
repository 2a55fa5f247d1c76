# ASD with FreeMatch on the CIFAR-stem ResNet-18 from random weights, K = 10: 40 labelled rows, 448 unlabelled ones. The
# labeller keeps the transitions of 1000 iterations. mean and std are set by the config that uses it.
weak = [dict(type='BatchRandomCrop', size=32, padding=4, flip_prob=0.5)]
strong = weak + [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[125.3, 123.0, 113.9],
        std=[63.0, 62.1, 66.7],
        views=dict(labelled=[weak], unlabelled=[weak, strong], anchor=[[]])),
    backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
    head=dict(type='LinearClusterHead', in_channels=512, num_clusters=10),
    labeller=dict(type='ASDLabels', in_channels=512, num_clusters=10, num_labelled=40, num_unlabelled=448),
    pseudo_label_loss=dict(type='FreeMatchLoss', num_clusters=10),
    teacher=dict(decay=0.999, buffers='live'))
