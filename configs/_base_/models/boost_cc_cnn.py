# A booster on the CC of cc_cnn_sign_digits.py that goes on from its cluster head; nothing is mirrored.
weak = [dict(type='BatchRandomCrop', size=32, padding=4)]
strong = weak + [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
model = dict(
    type='Boost',
    channels_last=True,
    bank=dict(num_samples=None),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[0., 0., 0.],
        std=[255., 255., 255.],
        views=dict(labelled=[weak], unlabelled=[weak, strong])),
    base=dict(
        type='CC',
        backbone=dict(type='SmallCNN', in_channels=3, widths=(16, 32, 64, 128, 256)),
        projector=dict(type='MLPProjector', in_channels=256, hid_channels=128, out_channels=128, norm=False),
        head=dict(type='MLPClusterHead', in_channels=256, num_clusters=10),
        init_cfg=dict(type='Pretrained', checkpoint='{cc}')),
    labeller=dict(type='SelectedLabels'),
    teacher=dict(decay=0.99, buffers='live'))
