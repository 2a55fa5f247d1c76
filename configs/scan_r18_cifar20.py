# From CIFAR-20 to SCAN, split protocol: SimCLR, clustering by neighbours, self-labelling; ResNet-18.
# Authors' best weights, CIFAR-20: SCAN ACC 0.440, NMI 0.449, ARI 0.283; self-labelled ACC 0.507, NMI 0.486, ARI 0.333.
# tools/dist_train.sh configs/scan_r18_cifar20.py 4
# A given SimCLR checkpoint replaces the first stage: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
stages = dict(
    simclr=dict(config='simclr_r18_cifar20.py'),
    scan_cluster=dict(config='scan_cluster_r18_cifar20.py'),
    scan_selflabel=dict(config='scan_selflabel_r18_cifar20.py'))
