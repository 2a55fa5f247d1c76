"""ClusMatch, Table 7: labelled rows drawn at random instead of by rank, on ProPos' ResNet-18.

The printed heads of the columns are exchanged: only this way the ranked values are those of Table 1.

python tools/experiment.py run experiments/clusmatch/selection.py
"""
title = 'ClusMatch, Table 7: selection of labelled rows, ProPos ResNet-18'
metrics = ['acc']
columns = {
    'CIFAR-10': dict(recipe='propos_clusmatch_r18_cifar10'), 'CIFAR-20': dict(recipe='propos_clusmatch_r18_cifar20')}
rows = {
    'random rows of each cluster': dict(
        options={'hooks.select.selector': dict(_delete_=True, type='RandomRows', sigma='{share}')},
        paper={'CIFAR-10': dict(acc=.939), 'CIFAR-20': dict(acc=.579)}),
    'nearest to the centre': dict(paper={'CIFAR-10': dict(acc=.949), 'CIFAR-20': dict(acc=.592)})}
