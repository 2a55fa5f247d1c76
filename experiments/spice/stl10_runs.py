"""SPICE, Table IV: five runs on STL-10, split protocol, ResNet-18.

python tools/experiment.py run experiments/spice/stl10_runs.py
"""
title = 'SPICE, Table IV: STL-10, five runs'
metrics = ['acc']
seeds = [0, 1, 2, 3, 4]
recipe = 'spice_r18_stl10'
rows = {
    'MoCo, k-means': dict(stage='moco', source='kmeans', paper=dict(acc=(.797, .046))),
    'SCAN on MoCo': dict(
        source='head', paper=dict(acc=(.797, .034)), stages=dict(
            moco=dict(data='data/stl10_pretext_split', parts=['moco/r18_stl']),
            scan_cluster=dict(data='data/stl10_split', on='moco', parts=['scan/cluster_stl10']),
            scan_selflabel=dict(data='data/stl10_split', on='scan_cluster', parts=['scan/selflabel_stl10']))),
    'SPICE_s': dict(stage='spice_self', source='head', paper=dict(acc=(.852, .011))),
    'SPICE': dict(source='head', paper=dict(acc=(.918, .002)))}
