# FixMatch on CIFAR-10 with 4000 labels, 400 of each class.
# Top-1 error in USB's table: 4.29 %.
# tools/dist_train.sh configs/fixmatch_wrn28_2_cifar10_4000.py 4
data = 'data/cifar10_split'
stages = dict(fixmatch=dict(
    parts=['semi_supervised/wrn28_2', 'data/fixmatch_statistics', 'losses/fixmatch'], facts=dict(per_class=400)))
