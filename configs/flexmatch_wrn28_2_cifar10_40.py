# FlexMatch on CIFAR-10 with 40 labels.
# Top-1 error in USB's table: 5.21 +- 0.36 %.
# tools/dist_train.sh configs/flexmatch_wrn28_2_cifar10_40.py 4
data = 'data/cifar10_split'
stages = dict(flexmatch=dict(parts=['semi_supervised/wrn28_2', 'data/fixmatch_statistics', 'losses/flexmatch']))
