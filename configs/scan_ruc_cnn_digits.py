# From 8 x 8 digits to RUC: SimCLR, SCAN with self-labelling, RUC. Minutes on two CPU cores.
# python tools/train.py configs/scan_ruc_cnn_digits.py
data = 'data/digits'
stages = dict(
    simclr=dict(parts=['simclr/cnn_digits']),
    scan_cluster=dict(on='simclr', parts=['scan/cluster_digits']),
    scan_selflabel=dict(on='scan_cluster', parts=['scan/selflabel_digits']),
    ruc=dict(on='scan_selflabel', parts=['ruc/digits']))
