# ASD_PS on a pre-trained ViT-B/16.
parts = ['asd/vit_small', 'nets/vit_base16']
