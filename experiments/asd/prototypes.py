"""ASD, Table VIII: prototypes, how often they are chosen, what k-means begins with, MutexMatch.

Rows with SCAN's published weights need its checkpoint and are quoted.

python tools/experiment.py run experiments/asd/prototypes.py
"""
title = 'ASD, Table VIII: prototypes, CIFAR-10'
percent = True
recipe = 'asd_ps_mutexmatch_r18_cifar10'
select = 'stages.asd.options.hooks.select'


def figures(text):
    """Metrics of a row of the paper."""
    return dict(zip(('acc', 'nmi', 'ari'), map(float, text.split('/'))))


rows = {
    'ASD': dict(recipe='asd_mutexmatch_r18_cifar10', paper=figures('92.6/75.0/61.9')),
    'ASD_PS': dict(paper=figures('93.1/85.9/85.2')),
    'ASD_PS, chosen once': dict(options={f'{select}.interval': -1}, paper=figures('83.4/61.0/52.3')),
    'ASD_PS, random start of k-means': dict(
        options={f'{select}.selector.init': 'random'}, paper=figures('93.1/84.1/82.1')),
    "ASD on SCAN's weights": dict(quoted='Table VIII', paper=figures('93.2/84.2/81.3')),
    "ASD_PS on SCAN's weights": dict(quoted='Table VIII', paper=figures('94.1/87.2/85.3'))}
