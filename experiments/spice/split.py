"""SPICE, Table III: split protocol, ResNet-18; SCAN on MoCo's features beside it.

The paper has best runs.

python tools/experiment.py run experiments/spice/split.py
"""
title = 'SPICE, Table III: split protocol, ResNet-18'
metrics = ['acc', 'nmi_geometric', 'ari']
names = ('STL-10', 'CIFAR-10', 'CIFAR-100-20')
columns = {name: dict(recipe=f'spice_r18_{data}') for name, data in zip(names, ('stl10', 'cifar10', 'cifar20'))}


def figures(text):
    """Column -> metrics of a row of the paper."""
    return {name: dict(zip(('acc', 'nmi_geometric', 'ari'), map(float, cell.split('/'))))
            for name, cell in zip(names, text.split())}


scan = {
    'STL-10': ('data/stl10_pretext_split', ['moco/r18_stl'], 'scan/cluster_stl10', 'scan/selflabel_stl10'),
    'CIFAR-10': ('data/cifar10_split', ['moco/r18'], 'scan/cluster', 'scan/selflabel'),
    'CIFAR-100-20': ('data/cifar20_split', ['moco/r18'], 'scan/cluster_cifar20', 'scan/selflabel')}
rows = {
    'SCAN on MoCo': dict(
        source='head', paper=figures('.855/.758/.721 .874/.786/.756 .455/.472/.310'),
        cells={name: dict(stages=dict(
            moco=dict(data=data, parts=moco),
            scan_cluster=dict(data=data.replace('_pretext', ''), on='moco', parts=[cluster]),
            scan_selflabel=dict(data=data.replace('_pretext', ''), on='scan_cluster', parts=[label])))
            for name, (data, moco, cluster, label) in scan.items()}),
    'SPICE_s': dict(
        stage='spice_self', source='head', paper=figures('.862/.756/.732 .845/.739/.709 .468/.457/.321')),
    'SPICE': dict(source='head', paper=figures('.920/.852/.836 .918/.850/.836 .535/.565/.404'))}
