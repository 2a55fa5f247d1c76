# A booster on PICI's ViT-Small at 224 pixels that goes on from its cluster head and sees whole images; views come from
# workers. A config gives the pseudo-label loss and, as hooks, who chooses the labelled rows.
weak_view = [
    dict(type='torchvision/RandomResizedCrop', size=224, scale=(0.5, 1.)),
    dict(type='torchvision/RandomHorizontalFlip'),
]
strong_view = weak_view + [dict(type='FixMatchRandAugment', num_ops=3), dict(type='FixMatchCutout')]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    base=dict(
        type='PICI',
        bank=dict(num_samples=None),
        backbone=dict(type='MaskedViT', arch='pici-small', img_size=224, patch_size=16, mask_ratio=0.5),
        projector=dict(type='MLPProjector', in_channels=384, hid_channels=384, out_channels=128, norm=False),
        head=dict(type='MLPClusterHead', in_channels=384, num_clusters=10),
        decoder=dict(
            type='MaskedDecoder',
            embed_dim=384,
            img_size=224,
            patch_size=16,
            decoder_embed_dim=512,
            decoder_depth=8,
            decoder_num_heads=16),
        init_cfg=dict(type='Pretrained', checkpoint='{pici}')),
    labeller=dict(type='SelectedLabels'),
    teacher=dict(decay=0.999, buffers='live'))
