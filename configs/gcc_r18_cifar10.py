# GCC on CIFAR-10, train + test.
# Release, trained and evaluated on the training images: ACC 85.9, NMI 77.2, ARI 73.4 (%).
# Quoted in ClusMatch's Table 1: NMI 0.787, ACC 0.870, ARI 0.752.
# tools/dist_train.sh configs/gcc_r18_cifar10.py 4
data = 'data/cifar10'
stages = dict(gcc=dict(parts=['gcc/r18']))
