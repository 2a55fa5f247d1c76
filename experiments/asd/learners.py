"""ASD, Tables III and IV: against semi-supervised learners with true labels, CIFAR-10, WRN-28-2.

python tools/experiment.py run experiments/asd/learners.py
"""
title = 'ASD, Tables III and IV: CIFAR-10, WRN-28-2'
metrics = ['acc']
percent = True
data = 'data/cifar10_split'
rows = {
    'FreeMatch, 10 labels': dict(
        recipe='freematch_wrn28_2_cifar10_40', options={'facts.per_class': 1}, source='head', paper=dict(acc=91.93)),
    'FreeMatch, 40 labels': dict(recipe='freematch_wrn28_2_cifar10_40', source='head', paper=dict(acc=95.10)),
    'ASD, FreeMatch, no labels': dict(
        stages=dict(asd=dict(parts=['nets/wrn28_2', 'asd/new_head', 'losses/freematch'])), paper=dict(acc=93.46))}
