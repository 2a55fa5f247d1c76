# CC on CIFAR-20 (superclasses of CIFAR-100), train + test, at 224 pixels, ResNet-34.
# Quoted in ClusMatch's Table 1: NMI 0.431, ACC 0.429, ARI 0.266.
# tools/dist_train.sh configs/cc_r34_cifar20.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/cifar20.py', '_base_/models/cc_r34.py', '_base_/cc_schedule.py']

model = dict(head=dict(num_clusters=20))
