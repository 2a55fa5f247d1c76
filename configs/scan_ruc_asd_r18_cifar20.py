# From CIFAR-20 to RUC with ASD's labels, split protocol: SimCLR, SCAN's clustering and self-labelling, RUC; ResNet-18.
# ASD's paper, CIFAR-20: ACC 0.554, and 0.545 without ASD.
# tools/dist_train.sh configs/scan_ruc_asd_r18_cifar20.py 2
# Given checkpoints replace the first stages: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
data = 'data/cifar20_split'
stages = dict(
    simclr=dict(parts=['simclr/r18']),
    scan_cluster=dict(on='simclr', parts=['scan/cluster_cifar20']),
    scan_selflabel=dict(on='scan_cluster', parts=['scan/selflabel']),
    ruc_asd=dict(on='scan_selflabel', parts=['ruc/images_asd'],
                 facts=dict(unsup_weight=100., least_weight=10., unlabelled=170, first_map=600)))
