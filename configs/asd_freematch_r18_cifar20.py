# ASD with FreeMatch on CIFAR-20, split protocol, from random weights: no labels, no pre-training.
# Paper, ResNet-18, CIFAR-20, in %: ACC 43.2, NMI 43.9, ARI 23.2.
# tools/dist_train.sh configs/asd_freematch_r18_cifar20.py 4
data = 'data/cifar20_split'
stages = dict(asd=dict(parts=['asd/r18', 'losses/freematch']))
optim_wrapper = dict(optimizer=dict(weight_decay=1e-3))
