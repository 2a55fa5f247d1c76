# From 8 x 8 digits to RUC with ASD's labels: SimCLR, SCAN with self-labelling, RUC. Minutes on two CPU cores.
# python tools/train.py configs/scan_ruc_asd_cnn_digits.py
stages = dict(
    simclr=dict(config='simclr_cnn_digits.py'),
    scan_cluster=dict(config='scan_cluster_cnn_digits.py'),
    scan_selflabel=dict(config='scan_selflabel_cnn_digits.py'),
    ruc_asd=dict(config='ruc_asd_cnn_digits.py'))
