"""ASD inside other methods: in the place of SCAN's self-labelling, of RUC's mixture, of SPICE's reliable labels.

python tools/experiment.py run experiments/asd/hosts.py
"""
title = 'ASD in SCAN, RUC and SPICE, ResNet-18'
metrics = ['acc']
percent = True
seeds = [0]
columns = {'CIFAR-10': {}, 'CIFAR-100-20': {}}
sets = (('CIFAR-10', 'cifar10'), ('CIFAR-100-20', 'cifar20'))
paper = {
    'SCAN, clustering step': ('scan', 'scan_cluster', 81.6, 44.0), 'SCAN + ASD': ('scan_asd', None, 84.1, 48.9),
    'RUC': ('scan_ruc', None, 90.1, 54.5), 'RUC + ASD': ('scan_ruc_asd', None, 92.0, 55.4),
    'SPICE': ('spice', None, 92.6, 53.8), 'SPICE + ASD': ('spice_asd', None, 94.2, 56.9)}
rows = {name: dict(
    source='head', **({'stage': stage} if stage else {}),
    paper={column: dict(acc=value) for (column, _), value in zip(sets, values)},
    cells={column: dict(recipe=f'{recipe}_r18_{where}') for column, where in sets})
    for name, (recipe, stage, *values) in paper.items()}
