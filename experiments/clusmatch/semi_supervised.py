"""ClusMatch, Table 3: as a semi-supervised learner with 40 and 400 given labels, ResNet-18 from random weights.

The paper has the mean of two runs. Its positive and negative labels need no k-means, whose labels it keeps.

python tools/experiment.py run experiments/clusmatch/semi_supervised.py
"""
title = 'ClusMatch, Table 3: semi-supervised, ResNet-18'
metrics = ['head/top1']
seeds = [0, 1]
columns = {
    'CIFAR-10, 40': dict(data='data/cifar10_split'), 'CIFAR-100, 400': dict(data='data/cifar100_split')}
learner = ['nets/r18_cifar', 'semi_supervised/method', 'views/weak_strong', 'schedules/fixmatch_long']
kmeans = dict(hooks=dict(kmeans=dict(type='KMeansHook', align_to='target')))


def figures(*values):
    """Column -> metrics of a row of the paper."""
    return {name: {'head/top1': value} for name, value in zip(columns, values)}


rows = {
    'FreeMatch': dict(
        stages=dict(freematch=dict(parts=[*learner, 'losses/freematch'])), paper=figures(.9438, .6859)),
    'ClusMatch': dict(
        stages=dict(clusmatch=dict(parts=[*learner, 'losses/clusmatch'], options=kmeans)),
        paper=figures(.9452, .6933))}
