# FixMatch on CIFAR-10 with 40 labels, four of each class; no clustering: the labels are given.
# Top-1 error in USB's table: 8.33 +- 1.41 % (three draws).
# tools/dist_train.sh configs/fixmatch_wrn28_2_cifar10_40.py 4
# Labels of your own: --cfg-options facts.per_class=None hooks.given.labels=labels.csv
data = 'data/cifar10_split'
stages = dict(fixmatch=dict(parts=['semi_supervised/wrn28_2', 'data/fixmatch_statistics', 'losses/fixmatch']))
