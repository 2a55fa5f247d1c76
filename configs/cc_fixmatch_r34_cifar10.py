# From images to the fine-tuned clustering of CIFAR-10: CC, then FixMatch on it. No figure of the paper corresponds.
# tools/dist_train.sh configs/cc_fixmatch_r34_cifar10.py 4 --amp
# A given CC checkpoint replaces the first stage: --cfg-options stages.cc.checkpoint=CC.pth
stages = dict(
    cc=dict(config='cc_r34_cifar10.py'),
    fixmatch=dict(config='fixmatch_cc_r34_cifar10.py'))
