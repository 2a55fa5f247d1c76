"""SPICE, Table IX: CIFAR-10 made imbalanced, SPICE and SCAN on the same features.

python tools/experiment.py run experiments/spice/imbalance.py
"""
title = 'SPICE, Table IX: imbalanced CIFAR-10'
metrics = ['acc']
seeds = [0]
figure = dict(kind='lines', xlabel='zeta')
zetas = (1., 0.8, 0.6, 0.4, 0.2)
spice = (.923, .922, .920, .905, .850)
scan = (.882, .887, .864, .758, .702)
on_moco = dict(
    moco=dict(parts=['moco/r18']), scan_cluster=dict(on='moco', parts=['scan/cluster']),
    scan_selflabel=dict(on='scan_cluster', parts=['scan/selflabel']))
rows = {
    **{f'SCAN on MoCo, zeta {zeta}': dict(
        stages=on_moco, data='data/cifar10_imbalanced', facts=dict(zeta=zeta), source='head', x=zeta,
        series='SCAN on MoCo', paper=dict(acc=value)) for zeta, value in zip(zetas, scan)},
    **{f'SPICE, zeta {zeta}': dict(
        recipe='spice_r18_cifar10_imbalanced', facts=dict(zeta=zeta), source='head', x=zeta, series='SPICE',
        paper=dict(acc=value)) for zeta, value in zip(zetas, spice)}}
