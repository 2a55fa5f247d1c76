# From STL-10 to RUC on SCAN, split protocol: SimCLR, SCAN's clustering and self-labelling, RUC; ResNet-18.
# No figure is at hand: the paper trains on all 13,000 labelled images.
# tools/dist_train.sh configs/scan_ruc_r18_stl10.py 2
# Given checkpoints replace the first stages: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
data = 'data/stl10_split'
stages = dict(
    simclr=dict(parts=['simclr/r18_stl'], data='data/stl10_pretext_split'),
    scan_cluster=dict(on='simclr', parts=['scan/cluster_stl10']),
    scan_selflabel=dict(on='scan_cluster', parts=['scan/selflabel_stl10']),
    ruc=dict(on='scan_selflabel', parts=['ruc/images', 'ruc/rising_threshold'],
             facts=dict(unsup_weight=50., least_weight=5., batch=100)))
