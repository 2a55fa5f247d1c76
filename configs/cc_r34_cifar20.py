# CC on CIFAR-20 (superclasses of CIFAR-100), train + test, at 224 pixels, ResNet-34.
# Quoted in ClusMatch's Table 1: NMI 0.431, ACC 0.429, ARI 0.266.
# tools/dist_train.sh configs/cc_r34_cifar20.py 4
data = 'data/cifar20'
stages = dict(cc=dict(parts=['cc/r34']))
