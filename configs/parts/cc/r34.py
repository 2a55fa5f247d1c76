# CC with torchvision's ResNet-34 at 224 pixels, whatever the size of the images: a crop is enlarged in the step that cuts
# it. Batch norm over all processes.
parts = ['nets/r34', 'cc/method', 'views/simclr', 'views/test_enlarged']
facts = dict(hidden=512)
network = dict(size=224, padding=28)
sync_bn = 'torch'
