"""ProPos, Table 9: long-tailed CIFAR, the smallest class a tenth of the largest, ResNet-18, three runs.

Clusters are not resampled to equal size here, which would counteract the tail.

python tools/experiment.py run experiments/propos/long_tail.py
"""
title = 'ProPos, Table 9: long-tailed CIFAR, ratio 0.1, ResNet-18'
metrics = ['nmi', 'acc', 'ari']
percent = True
columns = {'CIFAR-10-LT': dict(data='data/cifar10_long_tail'), 'CIFAR-20-LT': dict(data='data/cifar20_long_tail')}


def figures(text):
    """Column -> metrics of a row of the paper."""
    cells = [tuple(map(float, cell.split('+-'))) for cell in text.split()]
    return {name: dict(zip(('nmi', 'acc', 'ari'), cells[i:i + 3])) for name, i in zip(columns, (0, 3))}


rows = {
    'MoCo v2': dict(
        stages=dict(moco=dict(parts=['moco/r18'])),
        paper=figures('46.7+-.1 33.4+-.3 27.7+-.0 31.2+-.3 28.2+-.2 16.1+-.3')),
    'BYOL': dict(
        stages=dict(byol=dict(parts=[
            'nets/r18_cifar', 'nets/release_init', 'byol/method', 'views/simclr', 'schedules/propos'])),
        paper=figures('51.6+-1.0 41.3+-.4 30.8+-.4 41.9+-.4 34.6+-.5 22.3+-1.0')),
    'ProPos without PSL': dict(
        stages=dict(propos=dict(parts=['propos/r18'])), options={'stages.propos.facts.psl_weight': 0.},
        paper=figures('53.1+-.7 42.7+-.4 31.6+-.8 43.4+-.8 35.1+-.6 24.0+-.1')),
    'ProPos': dict(
        stages=dict(propos=dict(parts=['propos/r18'])),
        paper=figures('55.3+-.4 43.9+-.1 36.3+-.3 44.6+-.2 39.0+-.7 27.3+-.2'))}
