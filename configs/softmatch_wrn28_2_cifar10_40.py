# SoftMatch on CIFAR-10 with 40 labels.
# Top-1 error in USB's table: 5.06 +- 0.02 %.
# tools/dist_train.sh configs/softmatch_wrn28_2_cifar10_40.py 4
data = 'data/cifar10_split'
stages = dict(softmatch=dict(parts=['semi_supervised/wrn28_2', 'data/fixmatch_statistics', 'losses/softmatch']))
