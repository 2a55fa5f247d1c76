# IDFD on CIFAR-20 (superclasses of CIFAR-100), its 50,000 training images, ResNet-18.
# Paper: NMI 0.426, ACC 0.425, ARI 0.264.
# tools/dist_train.sh configs/idfd_r18_cifar20.py 1
data = 'data/cifar20_train'
stages = dict(idfd=dict(parts=['idfd/r18']))
