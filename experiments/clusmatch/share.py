"""ClusMatch, Table 9 and Fig. 4: accuracy against the share of labelled rows, on ProPos' ResNet-18.

The paper has ImageNet-1K; CIFAR-20 stands here, whose default is 0.1.

python tools/experiment.py run experiments/clusmatch/share.py
"""
title = 'ClusMatch, Fig. 4: share of labelled rows sigma, ProPos ResNet-18, CIFAR-20'
metrics = ['acc']
recipe = 'propos_clusmatch_r18_cifar20'
figure = dict(kind='lines', xlabel='sigma')
rows = {f'sigma = {share}': dict(options={'stages.clusmatch.facts.share': share}, x=share)
        for share in (0.01, 0.1, 0.15, 0.2, 0.4, 0.5)}
