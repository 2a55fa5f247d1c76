# CC with torchvision's ResNet-34 on photographs: colours are jittered at full strength, as on ImageNet in the release.
parts = ['nets/r34', 'cc/method', 'views/simclr_workers']
facts = dict(hidden=512, jitter=dict(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2))
sync_bn = 'torch'
