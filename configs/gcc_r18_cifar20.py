# GCC on CIFAR-20 (superclasses of CIFAR-100), train + test.
# Release, trained and evaluated on the training images: ACC 48.1, NMI 48.1, ARI 31.8 (%).
# Quoted in ClusMatch's Table 1: NMI 0.498, ACC 0.494, ARI 0.320.
# tools/dist_train.sh configs/gcc_r18_cifar20.py 4
data = 'data/cifar20'
stages = dict(gcc=dict(parts=['gcc/r18']))
