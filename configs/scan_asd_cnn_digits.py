# From 8 x 8 digits to SCAN+ASD: SimCLR, clustering by neighbours, ASD_PS instead of self-labelling. Minutes on two CPU
# cores.
# python tools/train.py configs/scan_asd_cnn_digits.py
stages = dict(
    simclr=dict(config='simclr_cnn_digits.py'),
    scan_cluster=dict(config='scan_cluster_cnn_digits.py'),
    asd=dict(config='asd_on_scan_cnn_digits.py'))
