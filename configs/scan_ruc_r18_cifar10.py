# From CIFAR-10 to RUC on SCAN, split protocol: SimCLR, SCAN's clustering and self-labelling, RUC; ResNet-18.
# Paper, CIFAR-10: ACC 0.903.
# tools/dist_train.sh configs/scan_ruc_r18_cifar10.py 2
# Given checkpoints replace the first stages: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
data = 'data/cifar10_split'
stages = dict(
    simclr=dict(parts=['simclr/r18']),
    scan_cluster=dict(on='simclr', parts=['scan/cluster']),
    scan_selflabel=dict(on='scan_cluster', parts=['scan/selflabel']),
    ruc=dict(on='scan_selflabel', parts=['ruc/images']))
