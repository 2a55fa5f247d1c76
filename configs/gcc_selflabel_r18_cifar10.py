# GCC, then SCAN's self-labelling on it, on CIFAR-10, to compare with gcc_clusmatch_r18_cifar10.py.
# ClusMatch's Table 8: ACC 0.901.
# tools/dist_train.sh configs/gcc_selflabel_r18_cifar10.py 4
data = 'data/cifar10'
stages = dict(
    gcc=dict(parts=['gcc/r18']),
    selflabel=dict(on='gcc', parts=['gcc/selflabel']))
