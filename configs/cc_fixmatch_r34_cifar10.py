# CC, then FixMatch on it, on CIFAR-10. No figure of the paper corresponds.
# tools/dist_train.sh configs/cc_fixmatch_r34_cifar10.py 4 --amp
# A given CC checkpoint replaces the first stage: --cfg-options stages.cc.checkpoint=CC.pth
data = 'data/cifar10'
stages = dict(
    cc=dict(parts=['cc/r34']),
    fixmatch=dict(
        on='cc', parts=['boosters/fixmatch', 'boosters/slow_backbone', 'select/by_head', 'views/enlarged_weak_strong'],
        facts=dict(share=0.01)))
