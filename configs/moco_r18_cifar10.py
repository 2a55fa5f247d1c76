# MoCo v2 on CIFAR-10, split protocol: the features of SPICE, whose k-means result is only logged.
# On them SPICE_s (Table III, ResNet-18) has ACC 84.5, NMI 73.9, ARI 70.9 and SPICE 91.8, 85.0, 83.6 (%).
# tools/dist_train.sh configs/moco_r18_cifar10.py 4
data = 'data/cifar10_split'
stages = dict(moco=dict(parts=['moco/r18']))
