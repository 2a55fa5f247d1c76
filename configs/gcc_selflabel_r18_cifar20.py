# GCC, then SCAN's self-labelling on it, on CIFAR-20, to compare with gcc_clusmatch_r18_cifar20.py.
# ClusMatch's Table 8: ACC 0.523.
# tools/dist_train.sh configs/gcc_selflabel_r18_cifar20.py 4
data = 'data/cifar20'
stages = dict(
    gcc=dict(parts=['gcc/r18']),
    selflabel=dict(on='gcc', parts=['gcc/selflabel']))
