"""ProPos, Table 4: ImageNet-1K, ResNet-50, 200 epochs. Its Table 5 is a probe of the same checkpoint.

python tools/experiment.py run experiments/propos/imagenet.py
"""
title = 'ProPos, Table 4: ImageNet-1K, ResNet-50'
metrics = ['ami']
percent = True
seeds = [0]
rows = {
    'ProPos': dict(recipe='propos_r50_imagenet', paper=dict(ami=52.5)),
    'PCL': dict(quoted='Table 4', paper=dict(ami=41.0)),
    'MoCo': dict(quoted='Table 4', paper=dict(ami=28.5))}
