"""ProPos, Table 7: hours of 1000 epochs, ResNet-50. The paper has four V100, r = 1.

python tools/experiment.py run experiments/propos/hours.py
"""
title = 'ProPos, Table 7: hours, ResNet-50'
metrics = ['hours']
seeds = [0]
notes = 'The paper has four V100. A run that went on after a break counts from there.'
net = dict(options=dict(model=dict(backbone=dict(depth=50))), facts=dict(width=2048))
columns = {'CIFAR-10': dict(data='data/cifar10'), 'Tiny-ImageNet': dict(data='data/tiny_imagenet')}
stem = {'CIFAR-10': 'nets/r34_cifar', 'Tiny-ImageNet': 'nets/r34'}
rows = {name: dict(
    paper={column: dict(hours=hours) for column, hours in zip(columns, said)},
    cells={column: dict(stages={method: dict(
        parts=[part, f'{method}/method', 'views/simclr', 'schedules/propos'], **net)})
        for column, part in stem.items()})
    for name, method, said in (('BYOL', 'byol', (9.0, 13.0)), ('ProPos', 'propos', (10.9, 15.7)))}
