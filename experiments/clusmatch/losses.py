"""ClusMatch, Table 4: which of its losses matters, on ProPos' ResNet-18.

python tools/experiment.py run experiments/clusmatch/losses.py
"""
title = 'ClusMatch, Table 4: losses, ProPos ResNet-18'
metrics = ['acc']
columns = {
    'CIFAR-10': dict(recipe='propos_clusmatch_r18_cifar10'), 'CIFAR-20': dict(recipe='propos_clusmatch_r18_cifar20')}
loss = 'stages.clusmatch.options.model.pseudo_label_loss'
paper = {
    'sup': (.561, .521), 'sup + npl': (.806, .560), 'sup + ppl': (.895, .584), 'sup + kpl': (.563, .561),
    'sup + ppl + npl': (.898, .585), 'sup + kpl + npl': (.881, .567), 'sup + kpl + ppl': (.940, .585),
    'all': (.949, .592)}
rows = {name: dict(
    options={f'{loss}.{term}_weight': 0. for term in ('ppl', 'npl', 'kpl') if name != 'all' and term not in name},
    paper={column: dict(acc=value) for column, value in zip(columns, values)}) for name, values in paper.items()}
