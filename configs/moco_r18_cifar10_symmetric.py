# MoCo v2 on CIFAR-10, train + test, in both directions, as ProPos compares with it. ProPos quotes MoCo's figure of this
# data set from elsewhere.
# tools/dist_train.sh configs/moco_r18_cifar10_symmetric.py 4
data = 'data/cifar10'
stages = dict(moco=dict(parts=['moco/r18_symmetric']))
