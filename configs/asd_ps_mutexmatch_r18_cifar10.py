# ASD_PS with MutexMatch on CIFAR-10: the config of FreeMatch with another loss.
# Paper, ResNet-18, CIFAR-10, mean (standard deviation), in %: ACC 93.1 (1.8), NMI 85.9 (5.8), ARI 85.2 (6.5).
# tools/dist_train.sh configs/asd_ps_mutexmatch_r18_cifar10.py 4
data = 'data/cifar10_split'
stages = dict(asd=dict(parts=['asd/r18', 'asd/prototypes', 'losses/mutexmatch', 'data/fixmatch_statistics']))
