# BYOL on CIFAR-10: ProPos without its two terms; k-means every 10 epochs only for the log.
# Table 6, ResNet-18, CIFAR-10: ACC 87.8 +- 1.7, NMI 79.4 +- 1.7, ARI 76.6 +- 2.8 (%).
# tools/dist_train.sh configs/byol_r18_cifar10.py 4
data = 'data/cifar10'
stages = dict(byol=dict(parts=['byol/r18'], facts=dict(batch=512, lr=0.1)))
