# MoCo v2 on CIFAR-20, whole protocol (train + test), with the ResNet-34 that SPICE takes there: 3x3 stem and max pool.
# On these features SPICE_s (Table II) has ACC 46.8, NMI 44.8, ARI 29.4 and SPICE 53.8, 56.7, 38.7 (%).
# tools/dist_train.sh configs/moco_r34_cifar20.py 4
data = 'data/cifar20'
stages = dict(moco=dict(parts=['moco/r34_stl']))
