"""ASD inside other methods: in the place of SCAN's self-labelling, of RUC's mixture, of SPICE's reliable labels.

The paper has CIFAR alone. STL-10 and ImageNet's subsets stand beside it without figures, the subsets with STL-10's
settings at 96 pixels; so does ASD on SPICE's ResNet-34. SPICE itself on it is in spice/split and spice/main.

python tools/experiment.py run experiments/asd/hosts.py
"""
title = 'ASD in SCAN, RUC and SPICE, ResNet-18; in SPICE also ResNet-34'
metrics = ['acc']
percent = True
seeds = [0]
sets = {'CIFAR-10': 'cifar10', 'CIFAR-100-20': 'cifar20', 'STL-10': 'stl10'}
# The first map comes after five passes over 13,000 and 19,500 images, in RUC after two and a half.
subsets = {
    'ImageNet-10': dict(data='data/imagenet10', scan=65, spice=145, ruc=(130, 500), rows=5000, epochs=5000),
    'ImageNet-Dogs': dict(data='data/imagenet_dogs', scan=100, spice=220, ruc=(195, 800), rows=8000, epochs=3000)}
columns = {name: {} for name in (*sets, *subsets)}


def on_scan(**after):
    """Stages of SCAN's clustering on one of ImageNet's subsets, then what comes after it."""
    return dict(
        simclr=dict(parts=['simclr/r18_stl']), scan_cluster=dict(on='simclr', parts=['scan/cluster_stl10']), **after)


def on_spice(subset, net, **last):
    """Stages of MoCo and SPICE's heads on one of ImageNet's subsets, then the last one."""
    chunks = 100 if net == 'r34' else 20    # of an E-step, at 224 and 96 pixels
    return dict(
        moco=dict(parts=[f'moco/{net}'], facts=dict(epochs=subset['epochs'], queue=10240)),
        spice_self=dict(on='moco', parts=['spice/self_stl10'], facts=dict(rows=subset['rows'], micro_batches=chunks)),
        **last)


def stages_on_subset(subset):
    """Row -> stages on one of ImageNet's subsets."""
    label = dict(on='scan_cluster', parts=['scan/selflabel_stl10'])
    weights, (length, first_map) = dict(unsup_weight=50., least_weight=5.), subset['ruc']
    asd = dict(on='spice_self', parts=['asd/in_spice'], facts=dict(first_map=subset['spice']))
    return {
        'SCAN, clustering step': on_scan(),
        'SCAN + ASD': on_scan(asd=dict(
            on='scan_cluster', parts=['asd/in_scan_stl10'], facts=dict(first_map=subset['scan']))),
        'RUC': on_scan(scan_selflabel=label, ruc=dict(
            on='scan_selflabel', parts=['ruc/images', 'ruc/rising_threshold'], facts=dict(batch=100, **weights))),
        'RUC + ASD': on_scan(scan_selflabel=label, ruc_asd=dict(
            on='scan_selflabel', parts=['ruc/images_asd'],
            facts=dict(length=length, unlabelled=60, first_map=first_map, **weights))),
        'SPICE': on_spice(subset, 'r18_stl', spice_joint=dict(
            parts=['nets/r18_stl', 'spice/joint'], facts=dict(ratio=0.9))),
        'SPICE + ASD': on_spice(subset, 'r18_stl', asd=asd),
        'SPICE + ASD, ResNet-34': on_spice(subset, 'r34', asd=asd)}


stl10 = dict(data='data/stl10_pretext_split', facts=dict(queue=65536))
larger = {name: dict(data=f'data/{where}_split', stages=dict(
    moco=dict(parts=['moco/r34_stl'], **pretext), spice_self=dict(on='moco', parts=[heads]),
    asd=dict(on='spice_self', parts=['asd/in_spice'], facts=facts)))
    for (name, where), heads, pretext, facts in zip(
        sets.items(), ('spice/self', 'spice/self_cifar20', 'spice/self_stl10'), ({}, {}, stl10),
        ({}, {}, dict(first_map=60)))}
paper = {
    'SCAN, clustering step': ('scan', 81.6, 44.0), 'SCAN + ASD': ('scan_asd', 84.1, 48.9),
    'RUC': ('scan_ruc', 90.1, 54.5), 'RUC + ASD': ('scan_ruc_asd', 92.0, 55.4),
    'SPICE': ('spice', 92.6, 53.8), 'SPICE + ASD': ('spice_asd', 94.2, 56.9), 'SPICE + ASD, ResNet-34': (None,)}
rows = {name: dict(
    source='head', **(dict(stage='scan_cluster') if name == 'SCAN, clustering step' else {}),
    paper={column: dict(acc=value) for column, value in zip(sets, values)},
    cells={**{column: dict(recipe=f'{recipe}_r18_{where}') if recipe else larger[column]
              for column, where in sets.items()},
           **{column: dict(data=subset['data'] + ('' if 'ResNet-34' in name else '_96'),
                           stages=stages_on_subset(subset)[name]) for column, subset in subsets.items()}})
    for name, (recipe, *values) in paper.items()}
