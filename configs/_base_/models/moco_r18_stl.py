# MoCo v2 on 96 pixels with the ResNet-18 of SPICE's split protocol (3x3 stem and a max pool).
view = [
    dict(type='BatchRandomResizedCrop', size=96, scale=(0.2, 1.), flip_prob=0.5),
    dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='BatchGrayscale', prob=0.2),
    dict(type='BatchGaussianBlur', sigma=(0.1, 2.), prob=0.5),
]
model = dict(
    type='MoCo',
    queue_size=65536,
    temperature=0.2,
    decay=0.999,
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        views=[view, view]),
    backbone=dict(type='GCCResNet', depth=18),
    projector=dict(type='MLPProjector', in_channels=512, hid_channels=512, out_channels=128, norm=False))
