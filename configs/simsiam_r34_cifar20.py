# SimSiam on CIFAR-20 (superclasses of CIFAR-100) with ResNet-34, as ProPos compares with it.
# ProPos' Table 2, SimSiam, CIFAR-20: ACC 48.5, NMI 52.2, ARI 32.7 (%).
# tools/dist_train.sh configs/simsiam_r34_cifar20.py 2
data = 'data/cifar20'
stages = dict(simsiam=dict(parts=['simsiam/r34']))
