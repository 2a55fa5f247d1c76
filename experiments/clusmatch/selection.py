"""ClusMatch, Table 7: labelled rows drawn at random instead of by rank, on ProPos' and GCC's ResNet-18.

The printed heads of the columns are exchanged: only this way the ranked values are those of Table 1.

python tools/experiment.py run experiments/clusmatch/selection.py
"""
title = 'ClusMatch, Table 7: selection of labelled rows, ResNet-18'
metrics = ['acc']
columns = {
    'CIFAR-10': dict(recipe='propos_clusmatch_r18_cifar10'), 'CIFAR-20': dict(recipe='propos_clusmatch_r18_cifar20')}
gcc = {'CIFAR-10': 'gcc_clusmatch_r18_cifar10', 'CIFAR-20': 'gcc_clusmatch_r18_cifar20'}


def figures(*values):
    """Column -> metrics of a row of the paper."""
    return {name: dict(acc=value) for name, value in zip(columns, values)}


rows = {
    'ProPos, random rows of each cluster': dict(
        options={'hooks.select.selector': dict(_delete_=True, type='RandomRows', sigma='{share}')},
        paper=figures(.939, .579)),
    'ProPos, nearest to the centre': dict(paper=figures(.949, .592)),
    'GCC, random rows of each cluster': dict(
        cells={name: dict(recipe=f'{recipe}_random') for name, recipe in gcc.items()}, paper=figures(.870, .521)),
    'GCC, most certain': dict(
        cells={name: dict(recipe=recipe) for name, recipe in gcc.items()}, paper=figures(.914, .536))}
