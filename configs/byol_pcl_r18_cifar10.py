# BYOL + PCL on CIFAR-10: ProtoNCE on the projections of BYOL, which collapse slowly.
# Table 6, BYOL + PCL, ResNet-18, CIFAR-10: ACC 85.3 +- 0.9, NMI 74.4 +- 2.3, ARI 71.4 +- 1.4 (%).
# tools/dist_train.sh configs/byol_pcl_r18_cifar10.py 4
data = 'data/cifar10'
stages = dict(pcl=dict(parts=['pcl/r18_on_byol'], facts=dict(batch=512, lr=0.1)))
