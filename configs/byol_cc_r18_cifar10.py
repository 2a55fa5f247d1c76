# BYOL with CC's two losses on CIFAR-10.
# ProPos' table 6, ResNet-18, CIFAR-10: ACC 86.3, NMI 76.6, ARI 73.8 (%).
# tools/dist_train.sh configs/byol_cc_r18_cifar10.py 4
data = 'data/cifar10'
stages = dict(byol_cc=dict(parts=['byol/r18', 'byol/cc'], facts=dict(batch=512, lr=0.1)))
