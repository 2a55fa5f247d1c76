# ProPos, then ClusMatch on CIFAR-20 (superclasses of CIFAR-100).
# tools/dist_train.sh configs/propos_clusmatch_r18_cifar20.py 4
stages = dict(
    propos=dict(config='propos_r18_cifar20.py'),
    clusmatch=dict(config='clusmatch_r18_cifar20.py'))
