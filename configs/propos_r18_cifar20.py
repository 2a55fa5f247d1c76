# ProPos on CIFAR-20 (superclasses of CIFAR-100): class-balanced resampling, rising decay, joint views.
# Table 6, ResNet-18, CIFAR-20: ACC 57.8 +- 0.2, NMI 58.2 +- 0.3, ARI 42.3 +- 0.3 (%).
# tools/dist_train.sh configs/propos_r18_cifar20.py 4
data = 'data/cifar20'
stages = dict(propos=dict(parts=['propos/r18', 'propos/rising_decay']))
