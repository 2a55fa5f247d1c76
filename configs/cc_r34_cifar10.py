# CC on CIFAR-10, train + test, at 224 pixels, ResNet-34.
# Quoted in ClusMatch's Table 1: NMI 0.705, ACC 0.790, ARI 0.637.
# tools/dist_train.sh configs/cc_r34_cifar10.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/cifar10.py', '_base_/models/cc_r34.py', '_base_/cc_schedule.py']
