# From STL-10 to SCAN+ASD, split protocol: SimCLR, clustering by neighbours, ASD_PS; ResNet-18.
# tools/dist_train.sh configs/scan_asd_r18_stl10.py 4
# Given checkpoints replace the stages before: --cfg-options stages.simclr.checkpoint=SIMCLR.pth \
#   stages.scan_cluster.checkpoint=SCAN.pth
data = 'data/stl10_split'
stages = dict(
    simclr=dict(parts=['simclr/r18_stl'], data='data/stl10_pretext_split'),
    scan_cluster=dict(on='simclr', parts=['scan/cluster_stl10']),
    asd=dict(on='scan_cluster', parts=['asd/in_scan_stl10']))
