# GCC on CIFAR-10's training images, on which it is evaluated, too, as in the release.
# Release: ACC 85.9, NMI 77.2, ARI 73.4 (%).
# tools/dist_train.sh configs/gcc_r18_cifar10_release.py 4
data = 'data/cifar10'
stages = dict(gcc=dict(parts=['gcc/r18'], facts=dict(source=dict(split='train'))))
