# PCL on CIFAR-10 with three granularities, as ProPos compares with it.
# Table 6, PCL, ResNet-18, CIFAR-10: ACC 85.5 +- 0.1, NMI 77.6 +- 0.1, ARI 73.4 +- 0.0 (%).
# tools/dist_train.sh configs/pcl_r18_cifar10.py 4
data = 'data/cifar10'
stages = dict(pcl=dict(parts=['pcl/r18']))
