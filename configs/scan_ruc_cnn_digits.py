# From 8 x 8 digits to RUC: SimCLR, SCAN with self-labelling, RUC. Minutes on two CPU cores.
# python tools/train.py configs/scan_ruc_cnn_digits.py
stages = dict(
    simclr=dict(config='simclr_cnn_digits.py'),
    scan_cluster=dict(config='scan_cluster_cnn_digits.py'),
    scan_selflabel=dict(config='scan_selflabel_cnn_digits.py'),
    ruc=dict(config='ruc_cnn_digits.py'))
