# From STL-10 to SCAN, split protocol: SimCLR, clustering by neighbours, self-labelling; ResNet-18.
# Authors' best weights, STL-10: SCAN ACC 0.792, NMI 0.673, ARI 0.618; self-labelled ACC 0.809, NMI 0.698, ARI 0.646.
# tools/dist_train.sh configs/scan_r18_stl10.py 4
# A given SimCLR checkpoint replaces the first stage: --cfg-options stages.simclr.checkpoint=SIMCLR.pth
data = 'data/stl10_split'
stages = dict(
    simclr=dict(parts=['simclr/r18_stl'], data='data/stl10_pretext_split'),
    scan_cluster=dict(on='simclr', parts=['scan/cluster_stl10']),
    scan_selflabel=dict(on='scan_cluster', parts=['scan/selflabel_stl10']))
