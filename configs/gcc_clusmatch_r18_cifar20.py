# GCC, then ClusMatch on it, on CIFAR-20, released hyper-parameters.
# Table 1, GCC: NMI 0.498, ACC 0.494, ARI 0.320. ClusMatch on it: NMI 0.552, ACC 0.536, ARI 0.367.
# tools/dist_train.sh configs/gcc_clusmatch_r18_cifar20.py 4
# A given GCC checkpoint replaces the first stage: --cfg-options stages.gcc.checkpoint=GCC.pth
data = 'data/cifar20'
stages = dict(
    gcc=dict(parts=['gcc/r18']),
    clusmatch=dict(on='gcc', parts=['gcc/clusmatch']))
