# ASD with FixMatch in the place of SPICE's reliable labels, CIFAR-stem ResNet-18, K = 10: network and chosen head of
# the heads' stage with its mean and std, the views of SPICE's joint training. A host's features lie far apart, so the
# entropy in the transport weighs more.
weak = [dict(type='BatchRandomCrop', size=32, padding=4, flip_prob=0.5, padding_mode='constant')]
strong = [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')] + weak
model = dict(
    type='Boost',
    bank=dict(num_samples=None, fields=dict(pool=dict())),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        views=dict(labelled=[weak], unlabelled=[weak, strong], anchor=[[]])),
    base=dict(
        type='SPICE',
        bank=dict(num_samples=None),
        backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
        head=dict(type='MultiHead', num_heads=10, head=dict(type='MLPClusterHead', in_channels=512, num_clusters=10)),
        init_cfg=dict(type='Pretrained', checkpoint='{spice_self}')),
    labeller=dict(type='ASDLabels', in_channels=512, num_clusters=10, num_labelled=40, num_unlabelled=448, reg=1.),
    pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=10),
    teacher=dict(decay=0.999, buffers='live'))
