"""SPICE, Table II: whole protocol (train + test).

python tools/experiment.py run experiments/spice/main.py
"""
title = 'SPICE, Table II: whole protocol'
metrics = ['acc', 'nmi_geometric', 'ari']
seeds = [0]
columns = {
    'STL-10': dict(recipe='spice_r34_stl10_whole'), 'ImageNet-10': dict(recipe='spice_r34_imagenet10'),
    'ImageNet-Dog': dict(recipe='spice_r34_imagenet_dogs'), 'CIFAR-10': dict(recipe='spice_r34_cifar10_whole'),
    'CIFAR-100-20': dict(recipe='spice_r34_cifar20_whole'), 'Tiny-ImageNet': dict(recipe='spice_r34_tiny_imagenet')}


def figures(text):
    """Column -> metrics of a row of the paper."""
    return {name: dict(zip(('acc', 'nmi_geometric', 'ari'), map(float, cell.split('/'))))
            for name, cell in zip(columns, text.split())}


rows = {
    'SPICE_s': dict(stage='spice_self', source='head', paper=figures(
        '.908/.817/.812 .921/.828/.836 .646/.572/.479 .838/.734/.705 .468/.448/.294 .305/.449/.161')),
    'SPICE': dict(source='head', paper=figures(
        '.938/.872/.870 .959/.902/.912 .675/.627/.526 .926/.865/.852 .538/.567/.387 .291/.427/.147'))}
