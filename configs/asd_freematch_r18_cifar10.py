# ASD with FreeMatch on CIFAR-10, split protocol, from random weights: no labels, no pre-training.
# Paper, ResNet-18, CIFAR-10, mean (standard deviation), in %: ACC 93.1 (1.8), NMI 79.5 (8.6), ARI 70.8 (8.4).
# tools/dist_train.sh configs/asd_freematch_r18_cifar10.py 4
data = 'data/cifar10_split'
stages = dict(asd=dict(parts=['asd/r18', 'losses/freematch', 'data/fixmatch_statistics']))
