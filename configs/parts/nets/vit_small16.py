# ViT-S/16 at 224 pixels, pre-trained: `weights` is a file that tools/model_converters/dino_to_vit.py wrote.
facts = dict(arch='deit-small', weights='data/dino_vit_small16.pth')
network = dict(width=384)
model = dict(backbone=dict(
    type='VisionTransformer',
    arch='{arch}',
    img_size=224,
    patch_size=16,
    init_cfg=dict(type='Pretrained', checkpoint='{weights}')))
