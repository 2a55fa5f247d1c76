# MoCo v2 on CIFAR-20 (superclasses of CIFAR-100), split protocol: the features of SPICE.
# On them SPICE_s (Table III, ResNet-18) has ACC 46.8, NMI 45.7, ARI 32.1 and SPICE 53.5, 56.5, 40.4 (%).
# tools/dist_train.sh configs/moco_r18_cifar20.py 4
data = 'data/cifar20_split'
stages = dict(moco=dict(parts=['moco/r18']))
