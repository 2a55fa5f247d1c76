# MoCo v2 with the ResNet-18 of SPICE's split protocol for 96 pixels.
parts = ['nets/r18_stl', 'moco/images']
facts = dict(queue=65536)
