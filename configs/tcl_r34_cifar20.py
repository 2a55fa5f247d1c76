# TCL on CIFAR-20 (superclasses of CIFAR-100), train + test, at 224 pixels, ResNet-34.
# Quoted in ClusMatch's Table 1: NMI 0.529, ACC 0.531, ARI 0.357.
# tools/dist_train.sh configs/tcl_r34_cifar20.py 4 --amp
data = 'data/cifar20'
stages = dict(tcl=dict(parts=['tcl/r34']))
