"""ClusMatch, Table 5: fixed thresholds 0.99 and 0.01 against adaptive ones, on ProPos' ResNet-18.

python tools/experiment.py run experiments/clusmatch/thresholds.py
"""
title = 'ClusMatch, Table 5: thresholds, ProPos ResNet-18'
metrics = ['nmi']
tail = dict(
    propos=dict(parts=['propos/r18_stl']), clusmatch=dict(on='propos', parts=['boosters/clusmatch_release']))
columns = {
    'CIFAR-10': dict(recipe='propos_clusmatch_r18_cifar10'), 'CIFAR-20': dict(recipe='propos_clusmatch_r18_cifar20'),
    'ImageNet-Dogs': dict(data='data/imagenet_dogs_96', stages=tail),
    'Tiny-ImageNet': dict(data='data/tiny_imagenet', stages=tail)}
rows = {
    'fixed': dict(
        options={'stages.clusmatch.options.model.pseudo_label_loss.thresholds': (0.99, 0.01)},
        paper={name: dict(nmi=value) for name, value in zip(columns, (.887, .572, .728, .467))}),
    'adaptive': dict(paper={name: dict(nmi=value) for name, value in zip(columns, (.890, .601, .745, .482))})}
