# ASD_PS with FreeMatch on CIFAR-10: prototypes with their neighbours as labelled rows, chosen anew each epoch.
# Paper, ResNet-18, CIFAR-10, mean (standard deviation), in %: ACC 93.5 (0.6), NMI 86.2 (2.6), ARI 85.9 (2.7).
# tools/dist_train.sh configs/asd_ps_freematch_r18_cifar10.py 4
data = 'data/cifar10_split'
stages = dict(asd=dict(parts=['asd/r18', 'asd/prototypes', 'losses/freematch', 'data/fixmatch_statistics']))
