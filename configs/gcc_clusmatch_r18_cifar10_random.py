# GCC, then ClusMatch on it with labelled rows drawn at random from each cluster, on CIFAR-10.
# ClusMatch's Table 7: ACC 0.870, ranked 0.914.
# tools/dist_train.sh configs/gcc_clusmatch_r18_cifar10_random.py 4
data = 'data/cifar10'
stages = dict(
    gcc=dict(parts=['gcc/r18']),
    clusmatch=dict(on='gcc', parts=['gcc/clusmatch', 'select/at_random'], facts=dict(share=0.01)))
