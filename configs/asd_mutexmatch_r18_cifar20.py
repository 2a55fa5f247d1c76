# ASD with MutexMatch on CIFAR-20: the config of FreeMatch with another loss.
# Paper, ResNet-18, CIFAR-20, in %: ACC 40.2, NMI 38.5, ARI 22.4.
# tools/dist_train.sh configs/asd_mutexmatch_r18_cifar20.py 4
data = 'data/cifar20_split'
stages = dict(asd=dict(parts=['asd/r18', 'losses/mutexmatch']))
optim_wrapper = dict(optimizer=dict(weight_decay=1e-3))
