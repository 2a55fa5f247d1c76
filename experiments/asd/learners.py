"""ASD, Tables III and IV: against semi-supervised learners with true labels, on the networks of these.

WRN-28-2 for CIFAR-10 and WRN-37-2 for STL-10. The figures at hand are FreeMatch's on CIFAR-10; other cells have none.
The learners with true labels have STL-10's unlabelled images too, as their papers do.

python tools/experiment.py run experiments/asd/learners.py
"""
title = 'ASD, Tables III and IV: WRN-28-2, on STL-10 WRN-37-2'
metrics = ['acc']
percent = True
nets = {'CIFAR-10': 'nets/wrn28_2', 'STL-10': 'nets/wrn37_2'}
split = {'CIFAR-10': 'data/cifar10_split', 'STL-10': 'data/stl10_split'}
columns = {name: {} for name in nets}
learner = ['semi_supervised/method', 'views/weak_strong', 'schedules/fixmatch_long']


def given(loss, **cell):
    """Column -> a learner with four true labels of each class, or as many as ``cell`` says."""
    return {'CIFAR-10': dict(recipe=f'{loss}_wrn28_2_cifar10_40', **cell),
            'STL-10': dict(data='data/stl10_pretext_split', stages={loss: dict(
                parts=[nets['STL-10'], *learner, f'losses/{loss}'])}, **cell)}


def asd(*parts):
    """Column -> ASD from random weights."""
    return {name: dict(data=split[name], stages=dict(asd=dict(parts=[net, 'asd/new_head', *parts])))
            for name, net in nets.items()}


one = dict(options={'facts.per_class': 1})
cells = {
    'FreeMatch, 10 labels': (given('freematch', **one), 91.93), 'FreeMatch, 40 labels': (given('freematch'), 95.10),
    'MutexMatch, 10 labels': (given('mutexmatch', **one), None), 'MutexMatch, 40 labels': (given('mutexmatch'), None),
    'ASD, FreeMatch, no labels': (asd('losses/freematch'), 93.46),
    'ASD, MutexMatch, no labels': (asd('losses/mutexmatch'), None),
    'ASD_PS, FreeMatch, no labels': (asd('asd/prototypes', 'losses/freematch'), None),
    'ASD_PS, MutexMatch, no labels': (asd('asd/prototypes', 'losses/mutexmatch'), None)}
rows = {name: dict(source='head', cells=where, paper={} if value is None else {'CIFAR-10': dict(acc=value)})
        for name, (where, value) in cells.items()}
