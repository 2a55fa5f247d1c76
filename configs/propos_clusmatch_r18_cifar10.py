# ProPos, then ClusMatch on it, on CIFAR-10, released hyper-parameters.
# Table 6, ProPos, ResNet-18: ACC 91.6 +- 0.4, NMI 85.1 +- 0.5, ARI 83.5 +- 0.7 (%).
# Table 1, ClusMatch on it: ACC 0.949, NMI 0.890, ARI 0.893.
# tools/dist_train.sh configs/propos_clusmatch_r18_cifar10.py 4
# A given ProPos checkpoint replaces the first stage: --cfg-options stages.propos.checkpoint=PROPOS.pth
data = 'data/cifar10'
stages = dict(
    propos=dict(parts=['propos/r18'], facts=dict(batch=512, lr=0.1)),
    clusmatch=dict(on='propos', parts=['boosters/clusmatch_release'], facts=dict(share=0.01)))
