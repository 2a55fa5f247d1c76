"""SPICE, Table III: split protocol, ResNet-18 or the networks of Table II; SCAN on MoCo's features beside it.

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
larger = {
    'STL-10': ('data/stl10_split', dict(
        moco=dict(parts=['moco/r34_stl'], data='data/stl10_pretext_split', facts=dict(queue=65536)),
        spice_self=dict(on='moco', parts=['spice/self_stl10']),
        spice_joint=dict(
            parts=['nets/wrn37_2', 'spice/joint', 'select/of_first_rows'], data='data/stl10_pretext_split',
            facts=dict(ratio=0.9, first_rows=5000)))),
    'CIFAR-10': ('data/cifar10_split', dict(
        moco=dict(parts=['moco/r34_stl']), spice_self=dict(on='moco', parts=['spice/self']),
        spice_joint=dict(parts=['nets/wrn28_2', 'spice/joint', 'data/fixmatch_statistics']))),
    'CIFAR-100-20': ('data/cifar20_split', dict(
        moco=dict(parts=['moco/r34_stl']), spice_self=dict(on='moco', parts=['spice/self_cifar20']),
        spice_joint=dict(parts=['nets/wrn28_8', 'spice/joint'])))}
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
    'SPICE': dict(source='head', paper=figures('.920/.852/.836 .918/.850/.836 .535/.565/.404')),
    'SPICE, larger networks': dict(
        source='head', paper=figures('.929/.860/.853 .917/.858/.836 .584/.583/.422'),
        cells={name: dict(stages=stages, data=data) for name, (data, stages) in larger.items()})}
