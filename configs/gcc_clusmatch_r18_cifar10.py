# GCC, then ClusMatch on it, on CIFAR-10, released hyper-parameters.
# Table 1, GCC: NMI 0.787, ACC 0.870, ARI 0.752. ClusMatch on it: NMI 0.851, ACC 0.914, ARI 0.829.
# tools/dist_train.sh configs/gcc_clusmatch_r18_cifar10.py 4
# A given GCC checkpoint replaces the first stage: --cfg-options stages.gcc.checkpoint=GCC.pth
data = 'data/cifar10'
stages = dict(
    gcc=dict(parts=['gcc/r18']),
    clusmatch=dict(on='gcc', parts=['gcc/clusmatch'], facts=dict(share=0.01)))
