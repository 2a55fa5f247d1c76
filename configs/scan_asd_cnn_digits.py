# From 8 x 8 digits to SCAN+ASD: SimCLR, clustering by neighbours, ASD_PS instead of self-labelling. Minutes on two CPU
# cores.
# python tools/train.py configs/scan_asd_cnn_digits.py
data = 'data/digits'
stages = dict(
    simclr=dict(parts=['simclr/cnn_digits']),
    scan_cluster=dict(on='simclr', parts=['scan/cluster_digits']),
    asd=dict(on='scan_cluster', parts=['asd/in_scan_digits']))
