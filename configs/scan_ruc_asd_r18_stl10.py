# From STL-10 to RUC with ASD's labels, split protocol: SimCLR, SCAN's clustering and self-labelling, RUC; ResNet-18.
# No figure is at hand.
# tools/dist_train.sh configs/scan_ruc_asd_r18_stl10.py 2
# Given checkpoints replace the first stages: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
stages = dict(
    simclr=dict(config='simclr_r18_stl10.py'),
    scan_cluster=dict(config='scan_cluster_r18_stl10.py'),
    scan_selflabel=dict(config='scan_selflabel_r18_stl10.py'),
    ruc_asd=dict(config='ruc_asd_r18_stl10.py'))
