# MoCo v2 with torchvision's ResNet-34 at 224 pixels.
parts = ['nets/r34', 'moco/images']
