# BYOL with CC's two losses on CIFAR-20 (superclasses of CIFAR-100).
# ProPos' table 6, ResNet-18, CIFAR-20: ACC 48.9, NMI 51.0, ARI 33.3 (%).
# tools/dist_train.sh configs/byol_cc_r18_cifar20.py 4
data = 'data/cifar20'
stages = dict(byol_cc=dict(parts=['byol/r18', 'byol/cc']))
