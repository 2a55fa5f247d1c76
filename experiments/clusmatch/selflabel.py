"""ClusMatch, Table 8: SCAN's self-labelling and ClusMatch on GCC's ResNet-18.

python tools/experiment.py run experiments/clusmatch/selflabel.py
"""
title = 'ClusMatch, Table 8: on GCC, ResNet-18'
metrics = ['acc']
sets = {'CIFAR-10': 'cifar10', 'CIFAR-20': 'cifar20'}
columns = {name: {} for name in sets}
rows = {title_of: dict(
    **({'stage': stage} if stage else {}), paper={name: dict(acc=value) for name, value in zip(sets, values)},
    cells={name: dict(recipe=f'{recipe}_r18_{data}') for name, data in sets.items()})
    for title_of, recipe, stage, values in (
        ('GCC', 'gcc_clusmatch', 'gcc', (.870, .494)), ('SCAN on GCC', 'gcc_selflabel', '', (.901, .523)),
        ('ClusMatch on GCC', 'gcc_clusmatch', '', (.914, .536)))}
