# From CIFAR-20 to SCAN, split protocol: SimCLR, clustering by neighbours, self-labelling; ResNet-18.
# Authors' best weights, CIFAR-20: SCAN ACC 0.440, NMI 0.449, ARI 0.283; self-labelled ACC 0.507, NMI 0.486, ARI 0.333.
# tools/dist_train.sh configs/scan_r18_cifar20.py 4
# A given SimCLR checkpoint replaces the first stage: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
data = 'data/cifar20_split'
stages = dict(
    simclr=dict(parts=['simclr/r18']),
    scan_cluster=dict(on='simclr', parts=['scan/cluster_cifar20']),
    scan_selflabel=dict(on='scan_cluster', parts=['scan/selflabel']))
