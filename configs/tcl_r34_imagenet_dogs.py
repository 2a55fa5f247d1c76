# TCL on ImageNet-Dogs at 224 pixels, ResNet-34, images through workers.
# Quoted in ClusMatch's Table 1: NMI 0.623, ACC 0.644, ARI 0.516.
# tools/dist_train.sh configs/tcl_r34_imagenet_dogs.py 4 --amp
data = 'data/imagenet_dogs_workers'
stages = dict(tcl=dict(parts=['tcl/r34_workers']))
