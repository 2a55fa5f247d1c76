"""ProPos, Fig. 6: NMI against the number of clusters K, for training and evaluation alike, ResNet-18.

BYOL has K in its k-means only. The text has no figures for the curves.

python tools/experiment.py run experiments/propos/clusters.py
"""
title = 'ProPos, Fig. 6: number of clusters, ResNet-18'
metrics = ['nmi']
percent = True
figure = dict(kind='lines', xlabel='K')
columns = {'CIFAR-10': dict(data='data/cifar10'), 'CIFAR-20': dict(data='data/cifar20')}
methods = {
    'ProPos': dict(propos=dict(parts=['propos/r18'])),
    'BYOL': dict(byol=dict(parts=[
        'nets/r18_cifar', 'nets/release_init', 'byol/method', 'views/simclr', 'schedules/propos']))}
rows = {f'{name}, K = {k}': dict(stages=stages, options={'facts.num_clusters': k}, x=k, series=name)
        for name, stages in methods.items() for k in (5, 10, 20, 30, 40, 50)}
