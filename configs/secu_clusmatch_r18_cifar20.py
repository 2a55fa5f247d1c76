# SeCu, then ClusMatch on it, on CIFAR-20, train + test. No figure of the papers corresponds.
# tools/dist_train.sh configs/secu_clusmatch_r18_cifar20.py 4 --amp
# A given SeCu checkpoint replaces the first stage: --cfg-options stages.secu.checkpoint=SECU.pth
data = 'data/cifar20'
stages = dict(
    secu=dict(parts=['secu/r18'], facts=dict(epochs=801, center_rate=4.)),
    clusmatch=dict(
        on='secu', parts=['boosters/clusmatch', 'boosters/slow_backbone', 'select/by_older_head', 'views/weak_strong'],
        facts=dict(share=0.1)))
