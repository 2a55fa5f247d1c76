# SeCu, then ClusMatch on it, on CIFAR-10, train + test. A new head on SeCu's unit embedding; the labelled rows are those
# of which SeCu's head is surest. No figure of the papers corresponds.
# tools/dist_train.sh configs/secu_clusmatch_r18_cifar10.py 4 --amp
# A given SeCu checkpoint replaces the first stage: --cfg-options stages.secu.checkpoint=SECU.pth
data = 'data/cifar10'
stages = dict(
    secu=dict(parts=['secu/r18'], facts=dict(center_rate=6., least_area=0.3)),
    clusmatch=dict(
        on='secu', parts=['boosters/clusmatch', 'boosters/slow_backbone', 'select/by_older_head', 'views/weak_strong'],
        facts=dict(share=0.01)))
