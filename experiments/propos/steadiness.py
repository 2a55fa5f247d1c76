"""ProPos, Figs. 3b, 3d and 9: NMI and sizes of clusters over training, BYOL and MoCo with and without prototypes.

The spread of Figs. 3a and 9 needs checkpoints, see docs/en/experiments.md.

python tools/experiment.py run experiments/propos/steadiness.py
"""
title = 'ProPos, Figs. 3 and 9: over training, CIFAR-10, ResNet-18'
metrics = ['nmi', 'cluster_min', 'cluster_max']
seeds = [0]
figure = dict(kind='curves')
source = 'kmeans'
rows = {
    'ProPos': dict(recipe='propos_r18_cifar10'),
    'BYOL': dict(recipe='byol_r18_cifar10'),
    'MoCo + PCL': dict(recipe='pcl_r18_cifar10'),
    'BYOL + PCL': dict(recipe='byol_pcl_r18_cifar10')}
