# ProPos, then ClusMatch on CIFAR-20, released hyper-parameters.
# Table 1, ProPos ResNet-18 + ClusMatch, CIFAR-20: NMI 0.601, ACC 0.592, ARI 0.426.
# tools/dist_train.sh configs/propos_clusmatch_r18_cifar20.py 4
data = 'data/cifar20'
stages = dict(
    propos=dict(parts=['propos/r18', 'propos/rising_decay']),
    clusmatch=dict(on='propos', parts=['boosters/clusmatch_release']))
