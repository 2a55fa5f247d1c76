# ASD_PS with MutexMatch on a ViT-S/16 that DINO trained, at 224 pixels: 40 labelled rows (K = 10), 32 unlabelled ones.
# Images of 32 pixels are augmented at their own size, then enlarged. `{dino}` stands for a file that
# tools/model_converters/dino_to_vit.py wrote.
large = dict(type='BatchResize', size=224, interpolation='bicubic')
weak = [dict(type='BatchRandomCrop', size=32, padding=4, flip_prob=0.5), large]
strong = [weak[0], dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout'), large]
model = dict(
    type='Boost',
    bank=dict(num_samples=None, fields=dict(pool=dict())),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        views=dict(labelled=[weak], unlabelled=[weak, strong], anchor=[[]]),
        test=[large]),
    backbone=dict(
        type='VisionTransformer',
        arch='deit-small',
        img_size=224,
        patch_size=16,
        init_cfg=dict(type='Pretrained', checkpoint='{dino}')),
    head=dict(type='LinearClusterHead', in_channels=384, num_clusters=10),
    labeller=dict(type='ASDLabels', in_channels=384, num_clusters=10, num_labelled=40, num_unlabelled=32),
    pseudo_label_loss=dict(type='MutexMatchLoss', num_clusters=10, in_channels=384))
