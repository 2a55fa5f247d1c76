"""ClusMatch, Table 9 and Fig. 4: accuracy against the share of labelled rows, on ProPos.

The paper has ImageNet-1K; CIFAR-20, whose default is 0.1, stands beside it.

python tools/experiment.py run experiments/clusmatch/share.py
"""
title = 'ClusMatch, Table 9 and Fig. 4: share of labelled rows sigma, on ProPos'
metrics = ['acc']
columns = {
    'CIFAR-20': dict(recipe='propos_clusmatch_r18_cifar20'),
    'ImageNet-1K': dict(recipe='propos_clusmatch_r50_imagenet', seeds=[0])}
figure = dict(kind='lines', xlabel='sigma')
rows = {f'sigma = {share}': dict(options={'stages.clusmatch.facts.share': share}, x=share)
        for share in (0.01, 0.1, 0.15, 0.2, 0.4, 0.5)}
