# From CIFAR-20 to RUC with ASD's labels, split protocol: SimCLR, SCAN's clustering and self-labelling, RUC; ResNet-18.
# ASD's paper, CIFAR-20: ACC 0.554, and 0.545 without ASD.
# tools/dist_train.sh configs/scan_ruc_asd_r18_cifar20.py 2
# Given checkpoints replace the first stages: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
stages = dict(
    simclr=dict(config='simclr_r18_cifar20.py'),
    scan_cluster=dict(config='scan_cluster_r18_cifar20.py'),
    scan_selflabel=dict(config='scan_selflabel_r18_cifar20.py'),
    ruc_asd=dict(config='ruc_asd_r18_cifar20.py'))
