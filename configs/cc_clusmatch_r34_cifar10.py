# From images to the fine-tuned clustering of CIFAR-10: CC, then ClusMatch on it. No figure of the paper corresponds.
# tools/dist_train.sh configs/cc_clusmatch_r34_cifar10.py 4 --amp
# A given CC checkpoint replaces the first stage: --cfg-options stages.cc.checkpoint=CC.pth
stages = dict(
    cc=dict(config='cc_r34_cifar10.py'),
    clusmatch=dict(config='clusmatch_cc_r34_cifar10.py'))
