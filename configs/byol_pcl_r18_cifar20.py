# BYOL + PCL on CIFAR-20 (superclasses of CIFAR-100): ProtoNCE on the projections of BYOL, which collapse slowly.
# Table 6, BYOL + PCL, ResNet-18, CIFAR-20: ACC 46.9 +- 0.7, NMI 49.7 +- 0.7, ARI 27.8 +- 1.5 (%).
# tools/dist_train.sh configs/byol_pcl_r18_cifar20.py 4
data = 'data/cifar20'
stages = dict(pcl=dict(parts=['pcl/r18_on_byol']))
