# From CIFAR-20 to SCAN+ASD, split protocol: SimCLR, clustering by neighbours, ASD_PS; ResNet-18.
# Paper, CIFAR-20, ACC in %: 48.9 with ASD instead of self-labelling, SCAN's clustering step alone 44.0.
# tools/dist_train.sh configs/scan_asd_r18_cifar20.py 4
# Given checkpoints replace the stages before: --cfg-options stages.simclr.checkpoint=SIMCLR.pth \
#   stages.scan_cluster.checkpoint=SCAN.pth
data = 'data/cifar20_split'
stages = dict(
    simclr=dict(parts=['simclr/r18']),
    scan_cluster=dict(on='simclr', parts=['scan/cluster_cifar20']),
    asd=dict(on='scan_cluster', parts=['asd/in_scan']))
