"""ASD, Fig. 2: a semi-supervised learner with ten true labels against SPICE without any, CIFAR-10, over training.

python tools/experiment.py run experiments/asd/few_labels.py
"""
title = 'ASD, Fig. 2: FreeMatch with 10 labels against SPICE, CIFAR-10'
metrics = ['acc']
percent = True
source = 'head'
figure = dict(kind='curves')
rows = {
    'FreeMatch, 10 labels': dict(recipe='freematch_wrn28_2_cifar10_40', options={'facts.per_class': 1}),
    'SPICE': dict(recipe='spice_r18_cifar10')}
