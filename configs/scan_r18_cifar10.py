# From CIFAR-10 to SCAN, split protocol: SimCLR, clustering by neighbours, self-labelling; ResNet-18.
# Authors' best weights, CIFAR-10: SCAN ACC 0.816, NMI 0.715, ARI 0.665; self-labelled ACC 0.883, NMI 0.797, ARI 0.772.
# tools/dist_train.sh configs/scan_r18_cifar10.py 4
# A given SimCLR checkpoint replaces the first stage: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
stages = dict(
    simclr=dict(config='simclr_r18_cifar10.py'),
    scan_cluster=dict(config='scan_cluster_r18_cifar10.py'),
    scan_selflabel=dict(config='scan_selflabel_r18_cifar10.py'))
