# From CIFAR-20 to SCAN+ASD, split protocol: SimCLR, clustering by neighbours, ASD_PS; ResNet-18.
# Paper, CIFAR-20, ACC in %: 48.9 with ASD instead of self-labelling, SCAN's clustering step alone 44.0.
# tools/dist_train.sh configs/scan_asd_r18_cifar20.py 4
# Given checkpoints replace the stages before: --cfg-options stages.simclr.checkpoint=SIMCLR.pth \
#   stages.scan_cluster.checkpoint=SCAN.pth
stages = dict(
    simclr=dict(config='simclr_r18_cifar20.py'),
    scan_cluster=dict(config='scan_cluster_r18_cifar20.py'),
    asd=dict(config='asd_on_scan_r18_cifar20.py'))
