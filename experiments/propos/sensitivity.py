"""ProPos, Fig. 7: interval of the E-step, noise, weight of PSL, width of the projection, depth, and views.

The grids are ours where the text has none; the interval's is 1 to 8, the noise's 0 to 0.001.

python tools/experiment.py run experiments/propos/sensitivity.py
"""
title = 'ProPos, Fig. 7: sensitivity, CIFAR-10'
metrics = ['nmi', 'acc', 'ari']
percent = True
figure = dict(kind='lines', metric='nmi')
recipe = 'propos_r18_cifar10'
parts = ['propos/method', 'views/simclr', 'schedules/propos']
grids = {
    'r': ('stages.propos.options.hooks.kmeans.interval', (1, 2, 4, 8)),
    'sigma': ('facts.sigma', (0., 1e-4, 1e-3, 1e-2)),
    'lambda': ('facts.psl_weight', (0.01, 0.1, 0.5, 1.)),
    'width': ('stages.propos.facts.embed', (64, 128, 256, 512))}
views = {
    'crop': ['{jitter}', '{grey}'], 'jitter': ['{crop}', '{grey}'], 'grey': ['{crop}', '{jitter}']}
rows = {
    **{f'{name} = {value}': dict(options={place: value}, x=value, series=name)
       for name, (place, values) in grids.items() for value in values},
    'ResNet-34': dict(stages=dict(propos=dict(parts=['nets/r34_cifar', 'nets/release_init', *parts])),
                      data='data/cifar10'),
    'ResNet-50': dict(
        data='data/cifar10', stages=dict(propos=dict(
            parts=['nets/r34_cifar', 'nets/release_init', *parts], facts=dict(width=2048),
            options=dict(model=dict(backbone=dict(depth=50)))))),
    **{f'without {name}': dict(options={'stages.propos.facts.view': view}) for name, view in views.items()}}
