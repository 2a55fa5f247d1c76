# SoftMatch on CIFAR-10 with 40 labels: FixMatch's config with another loss.
# Top-1 error in USB's table: 5.06 +- 0.02 %.
# tools/dist_train.sh configs/softmatch_wrn28_2_cifar10_40.py 4
_base_ = ['fixmatch_wrn28_2_cifar10_40.py']

model = dict(pseudo_label_loss=dict(type='SoftMatchLoss'))
