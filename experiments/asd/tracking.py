"""ASD, Fig. 6a and b: clusters of the labelled rows by class transitions, or by k-means on their features.

python tools/experiment.py run experiments/asd/tracking.py
"""
title = 'ASD, Fig. 6: class transitions against k-means labels, FreeMatch'
metrics = ['acc']
percent = True
source = 'head'
figure = dict(kind='curves')
columns = {
    'CIFAR-10': dict(recipe='asd_freematch_r18_cifar10'), 'CIFAR-100-20': dict(recipe='asd_freematch_r18_cifar20')}
sets = {'CIFAR-10': ('data/cifar10_split', 40), 'CIFAR-100-20': ('data/cifar20_split', 80)}
parts = [
    'nets/r18_cifar', 'asd/kmeans_labels', 'views/weak_strong', 'schedules/fixmatch_long', 'losses/freematch']
rows = {
    'class transitions': dict(),
    'k-means labels': dict(cells={name: dict(data=where, stages=dict(asd=dict(
        parts=parts, facts=dict(labelled=labelled, map_interval=1024)))) for name, (where, labelled) in sets.items()})}
