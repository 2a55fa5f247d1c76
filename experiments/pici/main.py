"""PICI, Tables 2 to 4: six sets, ViT-Small, beside what the paper quotes of others.

python tools/experiment.py run experiments/pici/main.py
"""
title = 'PICI, Tables 2 to 4'
metrics = ['nmi', 'acc', 'ari']
seeds = [0]
sets = {'RSOD': 'rsod', 'UC-Merced': 'uc_merced', 'SIRI-WHU': 'siri_whu', 'AID': 'aid', 'D0': 'd0',
        'Chaoyang': 'chaoyang'}
columns = {name: dict(recipe=f'pici_vit_small_{data}') for name, data in sets.items()}


def figures(text):
    """Column -> metrics of a row of the paper."""
    return {name: dict(zip(('nmi', 'acc', 'ari'), map(float, cell.split('/'))))
            for name, cell in zip(sets, text.split())}


quoted = {
    'K-means': '.162/.388/.075 .204/.200/.065 .145/.229/.053 .209/.163/.051 .299/.204/.080 .024/.320/.017',
    'DEC': '.296/.534/.325 .120/.147/.053 .183/.257/.083 .217/.185/.075 .328/.232/.105 .001/.421/.006',
    'IDFD': '.391/.595/.362 .572/.456/.354 .540/.545/.389 .696/.628/.547 .663/.507/.439 .309/.512/.259',
    'HTCN': '.557/.584/.465 .596/.508/.359 .534/.496/.336 .797/.709/.646 .721/.576/.470 .276/.547/.262'}
resnet = dict(cc=dict(parts=['cc/r34_workers']))
rows = {
    **{name: dict(quoted='Tables 2 to 4', paper=figures(text)) for name, text in quoted.items()},
    'CC': dict(
        paper=figures('.457/.538/.371 .609/.480/.356 .603/.604/.450 .752/.622/.550 .693/.511/.423 .365/.575/.343'),
        cells={name: dict(stages=resnet, data=f'data/{data}') for name, data in sets.items()}),
    'PICI': dict(
        paper=figures('.583/.772/.510 .681/.634/.492 .658/.672/.518 .800/.748/.663 .731/.568/.500 .382/.595/.382'))}
