# TCL with torchvision's ResNet-34 at 224 pixels, whatever the size of the images. Batch norm over all processes.
parts = ['nets/r34', 'tcl/method', 'views/tcl_enlarged']
network = dict(size=224, padding=28, cutout=75)
sync_bn = 'torch'
