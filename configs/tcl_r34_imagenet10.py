# TCL on ImageNet-10 at 224 pixels, ResNet-34, images through workers.
# Quoted in ClusMatch's Table 1: NMI 0.875, ACC 0.895, ARI 0.837.
# tools/dist_train.sh configs/tcl_r34_imagenet10.py 4 --amp
data = 'data/imagenet10_workers'
stages = dict(tcl=dict(parts=['tcl/r34_workers']))
