"""ASD, Tables V and VI: window N_b and interval N_t, CIFAR-10, MutexMatch.

python tools/experiment.py run experiments/asd/window.py
"""
title = 'ASD, Tables V and VI: window and interval of the map, CIFAR-10'
metrics = ['acc']
percent = True
recipe = 'asd_mutexmatch_r18_cifar10'
figure = dict(kind='lines', xlabel='iterations')
values = (100, 200, 500, 1000, 2000)
rows = {
    **{f'N_b = {value}': dict(options={'facts.window': value}, x=value, series='N_b', paper=dict(acc=acc))
       for value, acc in zip(values, (90.2, 91.1, 92.2, 92.6, 91.9))},
    **{f'N_t = {value}': dict(options={'facts.map_interval': value}, x=value, series='N_t', paper=dict(acc=acc))
       for value, acc in zip(values, (92.4, 91.5, 91.8, 92.6, 90.8))}}
