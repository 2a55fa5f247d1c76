"""ASD, Fig. 5: number of labelled images n_l, and classes that are missing from every draw. The grids are ours.

python tools/experiment.py run experiments/asd/labelled.py
"""
title = 'ASD, Fig. 5: labelled images, FreeMatch'
metrics = ['acc']
percent = True
figure = dict(kind='lines')
columns = {
    'CIFAR-10': dict(recipe='asd_freematch_r18_cifar10'), 'CIFAR-100-20': dict(recipe='asd_freematch_r18_cifar20')}
rows = {
    **{f'n_l = {times} k': dict(x=times, series='n_l / k', options={'facts.per_cluster': times})
       for times in (2, 4, 6, 8)},
    **{f'{missing} classes missing': dict(x=missing, series='missing classes', options={
        'stages.asd.options.train_dataloader.sampler.streams.labelled.oracle_missing': missing})
       for missing in (1, 2, 3, 4, 5)}}
