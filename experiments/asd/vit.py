"""ASD, Table VII: ASD_PS with MutexMatch on DINO's transformers. The weights are converted first, see the page of ASD.

python tools/experiment.py run experiments/asd/vit.py
"""
title = "ASD, Table VII: on DINO's ViT"
percent = True
seeds = [0]
sets = {'CIFAR-10': 'cifar10', 'CIFAR-100-20': 'cifar20', 'STL-10': 'stl10'}
columns = {name: {} for name in sets}
values = {'CIFAR-10': (96.9, 93.0, 92.5), 'CIFAR-100-20': (65.3, 66.6, 48.8), 'STL-10': (97.5, 89.6, 86.2)}
rows = {
    'ViT-S/16': dict(
        cells={name: dict(recipe=f'asd_ps_mutexmatch_vit_small_{data}') for name, data in sets.items()}, paper={}),
    'ViT-B/16': dict(
        cells={name: dict(recipe=f'asd_ps_mutexmatch_vit_base_{data}') for name, data in sets.items()},
        paper={name: dict(zip(('acc', 'nmi', 'ari'), each)) for name, each in values.items()})}
