# ASD with MutexMatch on CIFAR-10: the config of FreeMatch with another loss.
# Paper, ResNet-18, CIFAR-10, mean (standard deviation), in %: ACC 92.6 (3.0), NMI 75.0 (9.2), ARI 61.9 (11.4).
# tools/dist_train.sh configs/asd_mutexmatch_r18_cifar10.py 4
data = 'data/cifar10_split'
stages = dict(asd=dict(parts=['asd/r18', 'losses/mutexmatch', 'data/fixmatch_statistics']))
