"""ClusMatch, Table 3: as a semi-supervised learner with 40 and 400 given labels, ResNet-18 from random weights.

The paper has the mean of two runs. Its positive and negative labels need no k-means, whose labels it keeps.

python tools/experiment.py run experiments/clusmatch/semi_supervised.py
"""
title = 'ClusMatch, Table 3: semi-supervised, ResNet-18'
metrics = ['head/top1']
seeds = [0, 1]
columns = {
    'CIFAR-10, 40': dict(data='data/cifar10_split', facts=dict(per_class=4)),
    'CIFAR-100, 400 (quoted)': dict()}
learner = ['nets/r18_cifar', 'semi_supervised/method', 'views/weak_strong', 'schedules/fixmatch_long']
kmeans = dict(hooks=dict(kmeans=dict(type='KMeansHook', align_to='target')))
rows = {
    'FreeMatch': dict(
        paper={'CIFAR-10, 40': {'head/top1': .9438}, 'CIFAR-100, 400 (quoted)': {'head/top1': .6859}},
        cells={'CIFAR-10, 40': dict(stages=dict(freematch=dict(parts=[*learner, 'losses/freematch']))),
               'CIFAR-100, 400 (quoted)': dict(quoted='Table 3')}),
    'ClusMatch': dict(
        paper={'CIFAR-10, 40': {'head/top1': .9452}, 'CIFAR-100, 400 (quoted)': {'head/top1': .6933}},
        cells={'CIFAR-10, 40': dict(stages=dict(clusmatch=dict(parts=[*learner, 'losses/clusmatch'], options=kmeans))),
               'CIFAR-100, 400 (quoted)': dict(quoted='Table 3')})}
