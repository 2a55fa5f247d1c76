"""ClusMatch, Table 6: which view gets labels and which learns, on ProPos' ResNet-18.

The first of the two views of the unlabelled stream gives labels and masks, the second one learns.

python tools/experiment.py run experiments/clusmatch/views.py
"""
title = 'ClusMatch, Table 6: views, ProPos ResNet-18'
metrics = ['acc']
columns = {
    'CIFAR-10': dict(recipe='propos_clusmatch_r18_cifar10'), 'CIFAR-20': dict(recipe='propos_clusmatch_r18_cifar20')}
place = 'stages.clusmatch.options.model.data_preprocessor.views.unlabelled'
paper = {
    ('weak', 'strong'): (.949, .592), ('weak', 'weak'): (.613, .452), ('strong', 'strong'): (.494, .558),
    ('strong', 'weak'): (.917, .532)}
rows = {f'labels from {labels}, {learns} learns': dict(
    options={place: [f'{{{labels}}}', f'{{{learns}}}']},
    paper={column: dict(acc=value) for column, value in zip(columns, values)})
    for (labels, learns), values in paper.items()}
