# ProPos, then ClusMatch on CIFAR-10 with the papers' hyper-parameters.
# Table 1, ProPos ResNet-18 + ClusMatch, CIFAR-10: NMI 0.890, ACC 0.949, ARI 0.893.
# tools/dist_train.sh configs/propos_clusmatch_r18_cifar10_paper.py 4
data = 'data/cifar10'
stages = dict(
    propos=dict(parts=['propos/r18']),
    clusmatch=dict(on='propos', parts=['boosters/clusmatch_paper'], facts=dict(share=0.01)))
