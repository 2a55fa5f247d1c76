"""ClusMatch, Fig. 5: accuracy against the weights delta, beta and gamma on CIFAR-20, the others at 0.5.

The grid is ours: the text has none.

python tools/experiment.py run experiments/clusmatch/sensitivity.py
"""
title = 'ClusMatch, Fig. 5: weights, ProPos ResNet-18, CIFAR-20'
metrics = ['acc']
recipe = 'propos_clusmatch_r18_cifar20'
loss = 'stages.clusmatch.options.model.pseudo_label_loss'
figure = dict(kind='lines', xlabel='weight')
rows = {f'{greek} = {value}': dict(options={f'{loss}.{term}_weight': value}, x=value, series=greek)
        for greek, term in (('delta', 'ppl'), ('beta', 'npl'), ('gamma', 'kpl')) for value in (0.1, 0.5, 1.)}
