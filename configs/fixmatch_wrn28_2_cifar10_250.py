# FixMatch on CIFAR-10 with 250 labels, 25 of each class.
# Top-1 error in USB's table: 4.97 %.
# tools/dist_train.sh configs/fixmatch_wrn28_2_cifar10_250.py 4
data = 'data/cifar10_split'
stages = dict(fixmatch=dict(
    parts=['semi_supervised/wrn28_2', 'data/fixmatch_statistics', 'losses/fixmatch'], facts=dict(per_class=25)))
