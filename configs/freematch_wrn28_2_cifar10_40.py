# FreeMatch on CIFAR-10 with 40 labels.
# Top-1 error in USB's table: 4.97 +- 0.09 %.
# tools/dist_train.sh configs/freematch_wrn28_2_cifar10_40.py 4
data = 'data/cifar10_split'
stages = dict(freematch=dict(parts=['semi_supervised/wrn28_2', 'data/fixmatch_statistics', 'losses/freematch']))
