# ProPos on CIFAR-10 with the released hyper-parameters: global batch 512, lr 0.1, constant decay 0.996.
# Table 6, ResNet-18, CIFAR-10: ACC 91.6 +- 0.4, NMI 85.1 +- 0.5, ARI 83.5 +- 0.7 (%).
# tools/dist_train.sh configs/propos_r18_cifar10.py 4
data = 'data/cifar10'
stages = dict(propos=dict(parts=['propos/r18'], facts=dict(batch=512, lr=0.1)))
