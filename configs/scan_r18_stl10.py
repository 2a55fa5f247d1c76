# From STL-10 to SCAN, split protocol: SimCLR, clustering by neighbours, self-labelling; ResNet-18.
# Authors' best weights, STL-10: SCAN ACC 0.792, NMI 0.673, ARI 0.618; self-labelled ACC 0.809, NMI 0.698, ARI 0.646.
# tools/dist_train.sh configs/scan_r18_stl10.py 4
# A given SimCLR checkpoint replaces the first stage: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
stages = dict(
    simclr=dict(config='simclr_r18_stl10.py'),
    scan_cluster=dict(config='scan_cluster_r18_stl10.py'),
    scan_selflabel=dict(config='scan_selflabel_r18_stl10.py'))
