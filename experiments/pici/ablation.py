"""PICI, Tables 5 to 7: size of the transformer, its losses, and one projector alone, on RSOD and Chaoyang.

Table 7 is made without boosting, 200 + 800 epochs, which its row of both projectors asks for.

python tools/experiment.py run experiments/pici/ablation.py
"""
title = 'PICI, Tables 5 to 7'
metrics = ['nmi', 'acc', 'ari']
seeds = [0]
columns = {'RSOD': dict(recipe='pici_vit_small_rsod'), 'Chaoyang': dict(recipe='pici_vit_small_chaoyang')}


def figures(text):
    """Column -> metrics of a row of the paper."""
    return {name: dict(zip(('nmi', 'acc', 'ari'), map(float, cell.split('/'))))
            for name, cell in zip(columns, text.split()) if cell != '-'}


unboosted = {'facts.epochs': 1000}
model = 'stages.pici.options.model'
rows = {
    'ViT-Tiny': dict(
        options={'stages.pici.facts': dict(arch='pici-tiny', width=192)},
        paper=figures('.523/.750/.480 .335/.572/.330')),
    'ViT-Small': dict(paper=figures('.583/.772/.510 .382/.595/.382')),
    'ViT-Base': dict(
        options={'stages.pici.facts': dict(arch='pici-base', width=768)}, paper=figures('- .357/.579/.346')),
    'neither PISD nor CLI (CC, ResNet-34)': dict(
        paper=figures('.489/.550/.409 .211/.490/.188'),
        cells={name: dict(stages=dict(cc=dict(parts=['cc/r34_workers'])), data=f'data/{name.lower()}')
               for name in columns}),
    'PISD, no CLI': dict(options=unboosted, paper=figures('.527/.564/.434 .278/.533/.263')),
    'instance projector alone': dict(
        source='kmeans', paper=figures('.342/.544/.159 .307/.431/.201'), options={
            **unboosted, f'{model}.cluster_weight': 0.,
            'metrics.kmeans': dict(type='ClusteringMetric', source='kmeans')}),
    'cluster projector alone': dict(
        options={**unboosted, f'{model}.instance_weight': 0.}, paper=figures('.293/.524/.244 .124/.432/.108')),
    'both projectors': dict(options=unboosted, paper=figures('.441/.546/.367 .351/.568/.331'))}
