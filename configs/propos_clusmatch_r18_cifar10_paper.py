# ProPos, then ClusMatch on CIFAR-10 with the papers' hyper-parameters.
# tools/dist_train.sh configs/propos_clusmatch_r18_cifar10_paper.py 4
stages = dict(
    propos=dict(config='propos_r18_cifar10_paper.py'),
    clusmatch=dict(config='clusmatch_r18_cifar10_paper.py'))
