# ASD_PS with FreeMatch on CIFAR-20: prototypes with their neighbours as labelled rows, chosen anew each epoch.
# Paper, ResNet-18, CIFAR-20, in %: ACC 45.2, NMI 44.3, ARI 23.7.
# tools/dist_train.sh configs/asd_ps_freematch_r18_cifar20.py 4
data = 'data/cifar20_split'
stages = dict(asd=dict(parts=['asd/r18', 'asd/prototypes', 'losses/freematch']))
optim_wrapper = dict(optimizer=dict(weight_decay=1e-3))
