"""ASD, Tables I and II: with MutexMatch and FreeMatch, random rows or prototypes, ResNet-18.

The last row has SPICE's ResNet-34, with which the paper compares too; its figures are not at hand.

python tools/experiment.py run experiments/asd/main.py
"""
title = 'ASD, Tables I and II: ResNet-18'
percent = True
sets = {'CIFAR-10': 'cifar10', 'CIFAR-100-20': 'cifar20', 'STL-10': 'stl10', 'ImageNet-10': 'imagenet10',
        'ImageNet-Dogs': 'imagenet_dogs'}
columns = {name: {} for name in sets}
said = {
    'ASD, MutexMatch': 'asd_mutexmatch 92.6/75.0/61.9 40.2/38.5/22.4 74.2/62.6/55.3 88.3/83.2/80.1 65.1/61.6/52.5',
    'ASD, FreeMatch': 'asd_freematch 93.1/79.5/70.8 43.2/43.9/23.2 77.1/70.0/69.2 91.1/84.6/81.9 65.9/62.0/52.7',
    'ASD_PS, MutexMatch':
        'asd_ps_mutexmatch 93.1/85.9/85.2 43.6/40.7/23.7 75.9/62.9/56.4 89.5/85.2/83.7 66.5/62.0/52.9',
    'ASD_PS, FreeMatch':
        'asd_ps_freematch 93.5/86.2/85.9 45.2/44.3/23.7 78.8/71.5/60.3 91.5/86.1/82.2 66.3/62.7/53.4'}
deviations = {
    'ASD, MutexMatch': (3.0, 9.2, 11.4), 'ASD, FreeMatch': (1.8, 8.6, 8.4), 'ASD_PS, MutexMatch': (1.8, 5.8, 6.5),
    'ASD_PS, FreeMatch': (0.6, 2.6, 2.7)}      # of CIFAR-10
rows = {name: dict(
    paper={column: {metric: (float(value), deviations[name][i]) if column == 'CIFAR-10' else float(value)
                    for i, (metric, value) in enumerate(zip(('acc', 'nmi', 'ari'), cell.split('/')))}
           for column, cell in zip(sets, text.split()[1:])},
    cells={column: dict(recipe=f'{text.split()[0]}_r18_{data}') for column, data in sets.items()})
    for name, text in said.items()}
rows['ASD_PS, FreeMatch, ResNet-34'] = dict(cells={column: dict(
    data=f'data/{data}{"_96" if "imagenet" in data else "_split"}', stages=dict(asd=dict(
        parts=['nets/r34_stl', 'asd/new_head', 'asd/prototypes', 'losses/freematch'])))
    for column, data in sets.items()})
