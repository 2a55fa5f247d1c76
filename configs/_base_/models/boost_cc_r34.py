# A booster on CC's ResNet-34 at 224 pixels that goes on from its cluster head. A config gives the pseudo-label loss
# and, as hooks, who chooses the labelled rows. Pixels are scaled as CC scales them.
weak = [dict(type='BatchResize', size=224), dict(type='BatchRandomCrop', size=224, padding=28, flip_prob=0.5)]
strong = weak + [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[0., 0., 0.],
        std=[255., 255., 255.],
        views=dict(labelled=[weak], unlabelled=[weak, strong]),
        test=[dict(type='BatchResize', size=224)]),
    base=dict(
        type='CC',
        backbone=dict(type='ResNet', depth=34, zero_init_residual=False),
        projector=dict(type='MLPProjector', in_channels=512, hid_channels=512, out_channels=128, norm=False),
        head=dict(type='MLPClusterHead', in_channels=512, num_clusters=10),
        init_cfg=dict(type='Pretrained', checkpoint='{cc}')),
    labeller=dict(type='SelectedLabels'),
    teacher=dict(decay=0.999, buffers='live'))
