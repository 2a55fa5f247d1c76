# MoCo v2 with SPICE's own ResNet-34, which it takes for 32 pixels, too.
parts = ['nets/r34_stl', 'moco/images']
