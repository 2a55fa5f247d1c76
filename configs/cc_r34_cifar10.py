# CC on CIFAR-10, train + test, at 224 pixels, ResNet-34.
# Quoted in ClusMatch's Table 1: NMI 0.705, ACC 0.790, ARI 0.637.
# tools/dist_train.sh configs/cc_r34_cifar10.py 4
data = 'data/cifar10'
stages = dict(cc=dict(parts=['cc/r34']))
