"""ProPos, Table 6: with and without its two losses, beside CC, PCL and BYOL, ResNet-18, mean of three runs.

BYOL's own row has the release's rising decay and no resampling; a row without figures has ProPos' setting.

python tools/experiment.py run experiments/propos/ablation.py
"""
title = 'ProPos, Table 6: ablation, ResNet-18'
metrics = ['nmi', 'acc', 'ari']
percent = True
columns = {'CIFAR-10': dict(recipe='propos_r18_cifar10'), 'CIFAR-20': dict(recipe='propos_r18_cifar20')}


def figures(text):
    """Column -> metrics of a row of the paper."""
    cells = [tuple(map(float, cell.split('+-'))) for cell in text.split()]
    return {name: dict(zip(('nmi', 'acc', 'ari'), cells[i:i + 3])) for name, i in (('CIFAR-10', 0), ('CIFAR-20', 3))}


sets = {'CIFAR-10': 'cifar10', 'CIFAR-20': 'cifar20'}
psl = 'stages.propos.options.model.psl_terms'
rows = {
    'BYOL': dict(
        paper=figures('79.4+-1.7 87.8+-1.7 76.6+-2.8 55.5+-.6 53.9+-1.6 37.6+-.9'),
        cells={column: dict(recipe=f'byol_r18_{data}') for column, data in sets.items()}),
    'ProPos': dict(paper=figures('85.1+-.5 91.6+-.4 83.5+-.7 58.2+-.3 57.8+-.2 42.3+-.3')),
    'without PSL': dict(
        options={'facts.psl_weight': 0.}, paper=figures('79.4+-.9 87.9+-.5 76.4+-1.1 57.0+-.0 55.0+-.6 39.8+-1.1')),
    'without PSA': dict(
        options={'facts.sigma': 0.}, paper=figures('83.4+-1.2 90.3+-.9 81.1+-1.7 56.6+-.4 55.1+-.5 40.7+-1.0')),
    'BYOL with all else as ProPos': dict(options={'facts.psl_weight': 0., 'facts.sigma': 0.}),
    'without uniformity of PSL': dict(
        options={psl: 'alignment'}, paper=figures('79.6+-.7 87.8+-1.5 76.5+-2.1 56.7+-.3 56.6+-1.4 39.7+-1.1')),
    'without alignment of PSL': dict(
        options={psl: 'uniformity'}, paper=figures('85.3+-.2 92.1+-.1 84.4+-.3 57.2+-.3 57.3+-.6 41.7+-.5')),
    **{name: dict(
        paper=figures(text), cells={column: dict(recipe=f'{recipe}_r18_{data}') for column, data in sets.items()})
       for name, recipe, text in (
           ('CC', 'cc', '66.1+-.3 74.6+-.3 58.3+-.4 46.4+-.3 45.0+-.1 29.5+-.2'),
           ('CC + PSL', 'cc_psl', '74.3+-.4 83.4+-.5 69.6+-1.0 48.3+-.2 49.1+-.2 32.2+-.4'),
           ('BYOL + CC', 'byol_cc', '76.6+-3.1 86.3+-2.7 73.8+-4.7 51.0+-2.0 48.9+-3.0 33.3+-2.9'),
           ('PCL', 'pcl', '77.6+-.1 85.5+-.1 73.4+-.0 50.0+-.3 48.6+-.7 32.7+-.4'),
           ('BYOL + PCL', 'byol_pcl', '74.4+-2.3 85.3+-.9 71.4+-1.4 49.7+-.7 46.9+-.7 27.8+-1.5'))}}
