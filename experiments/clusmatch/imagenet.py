"""ClusMatch, Table 1: ImageNet-1K, ResNet-50, on ProPos and on SeCu.

python tools/experiment.py run experiments/clusmatch/imagenet.py
"""
title = 'ClusMatch, Table 1: ImageNet-1K, ResNet-50'
metrics = ['nmi', 'acc', 'ari']
seeds = [0]
rows = {
    'ProPos': dict(
        recipe='propos_clusmatch_r50_imagenet', stage='propos', paper=dict(nmi=.686, acc=.465, ari=.339)),
    'ProPos + ClusMatch': dict(recipe='propos_clusmatch_r50_imagenet', paper=dict(nmi=.780, acc=.634, ari=.509)),
    'SeCu': dict(recipe='secu_clusmatch_r50_imagenet', stage='secu', paper=dict(nmi=.739, acc=.521, ari=.404)),
    'SeCu + ClusMatch': dict(recipe='secu_clusmatch_r50_imagenet', paper=dict(nmi=.763, acc=.542, ari=.425))}
