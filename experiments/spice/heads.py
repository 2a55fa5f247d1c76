"""SPICE, Tables VII and VIII: how its heads are trained, STL-10, whole protocol, five runs.

Where the backbone trains too, the features that find centres stay those of MoCo.

python tools/experiment.py run experiments/spice/heads.py
"""
title = 'SPICE, Tables VII and VIII: heads, STL-10'
metrics = ['acc']
seeds = [0, 1, 2, 3, 4]
recipe = 'spice_r34_stl10_whole'
stage = 'spice_self'
source = 'head'
model = 'stages.spice_self.options.model'
views = 'stages.spice_self.options.model.data_preprocessor.views'
rows = {
    'default': dict(paper=dict(acc=(.908, .001))),
    'labels do not overlap': dict(options={f'{model}.overlap': False}, paper=dict(acc=.885)),
    'plain cross-entropy': dict(options={f'{model}.double_softmax': False}, paper=dict(acc=(.875, .031))),
    'cross-entropy at temperature 0.2': dict(
        options={f'{model}.double_softmax': False, f'{model}.temperature': 0.2}, paper=dict(acc=.895)),
    'with entropy': dict(options={f'{model}.entropy_weight': 1.}, paper=dict(acc=.907)),
    'views weak, weak': dict(options={views: ['{weak}', '{weak}']}, paper=dict(acc=.905)),
    'views strong, weak': dict(options={views: ['{strong}', '{weak}']}, paper=dict(acc=.883)),
    'views strong, strong': dict(options={views: ['{strong}', '{strong}']}, paper=dict(acc=.902)),
    'backbone trained, one head': dict(
        options={f'{model}.freeze': False, f'{model}.head.num_heads': 1}, paper=dict(acc=.622)),
    'backbone trained, ten heads': dict(options={f'{model}.freeze': False}, paper=dict(acc=.687))}
