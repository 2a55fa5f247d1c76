# ResNet-18 with the stem that GCC's release has for 64 and 96 pixels.
model = dict(backbone=dict(type='GCCResNet', depth=18))
network = dict(width=512)
