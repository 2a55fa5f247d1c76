"""ClusMatch, Table 1: the bases that it quotes, as shipped here.

CC and TCL have their own ResNet-34 at 224 pixels, SeCu's figures may need a second stage that its release lacks.

python tools/experiment.py run experiments/clusmatch/bases.py
"""
title = 'ClusMatch, Table 1: CC, TCL and SeCu'
metrics = ['nmi', 'acc', 'ari']
seeds = [0]
files = {'CIFAR-10': 'cifar10', 'CIFAR-20': 'cifar20', 'STL-10': 'stl10', 'ImageNet-10': 'imagenet10',
         'ImageNet-Dogs': 'imagenet_dogs', 'Tiny-ImageNet': 'tiny_imagenet', 'ImageNet-1K': 'imagenet'}
columns = {name: {} for name in files}


def row(text, recipe, **other):
    """A row: its figures in the paper, and the run of each column that has one."""
    paper = {name: dict(zip(('nmi', 'acc', 'ari'), map(float, cell.split('/'))))
             for name, cell in zip(files, text.split()) if cell != '-'}
    return dict(paper=paper, cells={name: None if name not in paper else other.get(data) or dict(
        recipe=recipe.format(data)) for name, data in files.items()})


rows = {
    'CC': row(
        '.705/.790/.637 .431/.429/.266 .764/.850/.726 .859/.893/.822 .445/.429/.274 .340/.140/.071 -', 'cc_r34_{}',
        tiny_imagenet=dict(data='data/tiny_imagenet', stages=dict(cc=dict(parts=['cc/r34'])))),
    'TCL': row(
        '.819/.887/.780 .529/.531/.357 .799/.868/.757 .875/.895/.837 .623/.644/.516 - .671/.379/.266', 'tcl_r34_{}',
        imagenet=dict(quoted='Table 1')),
    'SeCu': row('.861/.930/.857 .551/.552/.397 .733/.836/.693 - - - -', 'secu_r18_{}')}
