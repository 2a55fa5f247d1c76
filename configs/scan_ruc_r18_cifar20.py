# From CIFAR-20 to RUC on SCAN, split protocol: SimCLR, SCAN's clustering and self-labelling, RUC; ResNet-18.
# ASD's paper, CIFAR-20: ACC 0.545.
# tools/dist_train.sh configs/scan_ruc_r18_cifar20.py 2
# Given checkpoints replace the first stages: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
data = 'data/cifar20_split'
stages = dict(
    simclr=dict(parts=['simclr/r18']),
    scan_cluster=dict(on='simclr', parts=['scan/cluster_cifar20']),
    scan_selflabel=dict(on='scan_cluster', parts=['scan/selflabel']),
    ruc=dict(on='scan_selflabel', parts=['ruc/images', 'ruc/rising_threshold'],
             facts=dict(unsup_weight=100., least_weight=10.)))
