# TCL on CIFAR-10, train + test, at 224 pixels, ResNet-34.
# Quoted in ClusMatch's Table 1: NMI 0.819, ACC 0.887, ARI 0.780.
# tools/dist_train.sh configs/tcl_r34_cifar10.py 4 --amp
data = 'data/cifar10'
stages = dict(tcl=dict(parts=['tcl/r34']))
