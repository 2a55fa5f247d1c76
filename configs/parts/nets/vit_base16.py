# ViT-B/16, as the small one.
parts = ['nets/vit_small16']
facts = dict(arch='deit-base', weights='data/dino_vit_base16.pth')
network = dict(width=768)
