# SimSiam on CIFAR-10 with ResNet-34, as ProPos compares with it.
# ProPos' Table 2, SimSiam, CIFAR-10: ACC 85.6, NMI 78.6, ARI 73.6 (%).
# tools/dist_train.sh configs/simsiam_r34_cifar10.py 2
data = 'data/cifar10'
stages = dict(simsiam=dict(parts=['simsiam/r34']))
