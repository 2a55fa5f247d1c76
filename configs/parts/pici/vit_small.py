# PICI on its ViT-Small (384 wide, 6 layers, 12 heads), patches of 16 in 224 pixels, half of them masked.
# ViT-Tiny: facts.arch=pici-tiny facts.width=192; ViT-Base: pici-base and 768.
parts = ['pici/method', 'views/pici_workers']
facts = dict(arch='pici-small', patch=16)
network = dict(width=384)
hooks = dict(kmeans=dict(batch_size='{sweep}', num_workers=8))  # its sweep decodes too
