# PICI on its ViT-Small (384 wide, 6 layers, 12 heads), patches of 16 in 224 pixels, half of them masked. Views come from
# workers. ViT-Tiny: model.backbone.arch=pici-tiny and 192 in place of 384; ViT-Base: pici-base and 768.
model = dict(
    type='PICI',
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
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
        decoder_num_heads=16))
