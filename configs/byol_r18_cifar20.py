# BYOL on CIFAR-20 (superclasses of CIFAR-100): ProPos without its two terms; k-means every 10 epochs only for the log.
# Table 6, ResNet-18, CIFAR-20: ACC 53.9 +- 1.6, NMI 55.5 +- 0.6, ARI 37.6 +- 0.9 (%).
# tools/dist_train.sh configs/byol_r18_cifar20.py 4
data = 'data/cifar20'
stages = dict(byol=dict(parts=['byol/r18']))
