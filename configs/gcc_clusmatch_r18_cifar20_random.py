# GCC, then ClusMatch on it with labelled rows drawn at random from each cluster, on CIFAR-20.
# ClusMatch's Table 7: ACC 0.521, ranked 0.536.
# tools/dist_train.sh configs/gcc_clusmatch_r18_cifar20_random.py 4
data = 'data/cifar20'
stages = dict(
    gcc=dict(parts=['gcc/r18']),
    clusmatch=dict(on='gcc', parts=['gcc/clusmatch', 'select/at_random']))
