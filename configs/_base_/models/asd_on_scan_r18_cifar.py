# ASD with FixMatch in the place of SCAN's self-labelling, CIFAR-stem ResNet-18, K = 10: network and head of the
# clustering step, SCAN's strong views. A host's features lie far apart, so the entropy in the transport weighs more.
mean, std = [125.307, 122.961, 113.8575], [51.5865, 50.847, 51.255]
weak = [dict(type='BatchRandomCrop', size=32, padding=4, flip_prob=0.5)]
strong = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=16, colour=mean),
]
model = dict(
    type='Boost',
    bank=dict(num_samples=None, fields=dict(pool=dict())),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=mean,
        std=std,
        views=dict(labelled=[weak], unlabelled=[weak, strong], anchor=[[]])),
    base=dict(
        type='SCAN',
        num_neighbors=20,
        bank=dict(num_samples=None),
        backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
        head=dict(type='MultiHead', num_heads=1, head=dict(type='LinearClusterHead', in_channels=512, num_clusters=10)),
        init_cfg=dict(type='Pretrained', checkpoint='{scan_cluster}')),
    labeller=dict(
        type='ASDLabels', in_channels=512, num_clusters=10, num_labelled=40, num_unlabelled=1000, reg=1.),
    pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=10),
    teacher=dict(decay=0.99, buffers='live'))
