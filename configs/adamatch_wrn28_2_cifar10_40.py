# AdaMatch on CIFAR-10 with 40 labels.
# Top-1 error in USB's table: 5.05 +- 0.04 %.
# tools/dist_train.sh configs/adamatch_wrn28_2_cifar10_40.py 4
data = 'data/cifar10_split'
stages = dict(adamatch=dict(parts=['semi_supervised/wrn28_2', 'data/fixmatch_statistics', 'losses/adamatch']))
