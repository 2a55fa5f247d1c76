# From CIFAR-10 to SCAN+ASD, split protocol: SimCLR, clustering by neighbours, ASD_PS; ResNet-18.
# Paper, CIFAR-10, ACC in %: 84.1 with ASD instead of self-labelling, SCAN's clustering step alone 81.6.
# tools/dist_train.sh configs/scan_asd_r18_cifar10.py 4
# Given checkpoints replace the stages before: --cfg-options stages.simclr.checkpoint=SIMCLR.pth \
#   stages.scan_cluster.checkpoint=SCAN.pth
data = 'data/cifar10_split'
stages = dict(
    simclr=dict(parts=['simclr/r18']),
    scan_cluster=dict(on='simclr', parts=['scan/cluster']),
    asd=dict(on='scan_cluster', parts=['asd/in_scan']))
