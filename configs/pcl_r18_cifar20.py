# PCL on CIFAR-20 (superclasses of CIFAR-100) with three granularities, as ProPos compares with it.
# Table 6, PCL, ResNet-18, CIFAR-20: ACC 48.6 +- 0.7, NMI 50.0 +- 0.3, ARI 32.7 +- 0.4 (%).
# tools/dist_train.sh configs/pcl_r18_cifar20.py 4
data = 'data/cifar20'
stages = dict(pcl=dict(parts=['pcl/r18']))
