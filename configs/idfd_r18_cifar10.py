# IDFD on CIFAR-10, its 50,000 training images, ResNet-18.
# Paper: NMI 0.711, ACC 0.815, ARI 0.663.
# tools/dist_train.sh configs/idfd_r18_cifar10.py 1
data = 'data/cifar10_train'
stages = dict(idfd=dict(parts=['idfd/r18']))
