# From 8 x 8 digits to SCAN: SimCLR, clustering by neighbours, self-labelling. Minutes on two CPU cores.
# python tools/train.py configs/scan_cnn_digits.py
data = 'data/digits'
stages = dict(
    simclr=dict(parts=['simclr/cnn_digits']),
    scan_cluster=dict(on='simclr', parts=['scan/cluster_digits']),
    scan_selflabel=dict(on='scan_cluster', parts=['scan/selflabel_digits']))
