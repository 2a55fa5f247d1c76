# From CIFAR-10 to RUC on SCAN, split protocol: SimCLR, SCAN's clustering and self-labelling, RUC; ResNet-18.
# Paper, CIFAR-10: ACC 0.903.
# tools/dist_train.sh configs/scan_ruc_r18_cifar10.py 2
# Given checkpoints replace the first stages: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
stages = dict(
    simclr=dict(config='simclr_r18_cifar10.py'),
    scan_cluster=dict(config='scan_cluster_r18_cifar10.py'),
    scan_selflabel=dict(config='scan_selflabel_r18_cifar10.py'),
    ruc=dict(config='ruc_r18_cifar10.py'))
