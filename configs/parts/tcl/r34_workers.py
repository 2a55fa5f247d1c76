# TCL with torchvision's ResNet-34 on photographs, through workers.
parts = ['nets/r34', 'tcl/method', 'views/tcl_workers']
network = dict(cutout=75)
sync_bn = 'torch'
