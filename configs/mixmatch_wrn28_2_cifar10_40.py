# MixMatch on CIFAR-10 with 40 labels: two weak views, 64 labelled and 64 unlabelled images, a rising weight.
# Top-1 error in USB's table: 70.67 +- 1.25 %; with 250 labels 37.28 %, with 4000 7.38 %.
# tools/dist_train.sh configs/mixmatch_wrn28_2_cifar10_40.py 4
data = 'data/cifar10_split'
stages = dict(mixmatch=dict(parts=['semi_supervised/wrn28_2', 'data/fixmatch_statistics', 'losses/mixmatch']))
