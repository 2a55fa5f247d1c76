# MutexMatch on CIFAR-10 with 40 labels: FixMatch's config with another loss.
# Top-1 accuracy of the paper, mean of five seeds: 93.22 %, with k=6 94.21 %.
# tools/dist_train.sh configs/mutexmatch_wrn28_2_cifar10_40.py 4
_base_ = ['fixmatch_wrn28_2_cifar10_40.py']

model = dict(pseudo_label_loss=dict(type='MutexMatchLoss', in_channels=128))
