# From images to the fine-tuned clustering of CIFAR-10: ProPos, then ClusMatch, released hyper-parameters.
# tools/dist_train.sh configs/propos_clusmatch_r18_cifar10.py 4
# A given ProPos checkpoint replaces the first stage: --cfg-options stages.propos.checkpoint=PROPOS.pth
stages = dict(
    propos=dict(config='propos_r18_cifar10.py'),
    clusmatch=dict(config='clusmatch_r18_cifar10.py'))
