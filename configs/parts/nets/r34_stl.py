# ResNet-34 with the stem that SPICE's release has for every size up to 96 pixels: 3 x 3 and a max pool.
model = dict(backbone=dict(type='GCCResNet', depth=34))
network = dict(width=512)
