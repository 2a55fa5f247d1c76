# MutexMatch on CIFAR-10 with 40 labels.
# Top-1 accuracy of the paper, mean of five seeds: 93.22 %, with k=6 94.21 %.
# tools/dist_train.sh configs/mutexmatch_wrn28_2_cifar10_40.py 4
data = 'data/cifar10_split'
stages = dict(mutexmatch=dict(parts=['semi_supervised/wrn28_2', 'data/fixmatch_statistics', 'losses/mutexmatch']))
