"""ProPos, Table 3: Tiny-ImageNet, ResNet-18.

python tools/experiment.py run experiments/propos/tiny_imagenet.py
"""
title = 'ProPos, Table 3: Tiny-ImageNet, ResNet-18'
metrics = ['nmi', 'acc', 'ari']
percent = True
data = 'data/tiny_imagenet'
network = ['nets/r18_stl']
quoted = {'SimSiam': (35.1, 20.3, 9.4), 'PCL': (35.0, 15.9, 8.7), 'MoCo v2': (34.2, 16.0, 8.0)}
rows = {
    'ProPos': dict(
        stages=dict(propos=dict(parts=['propos/r18_stl'])), paper=dict(nmi=40.5, acc=25.6, ari=14.3)),
    'BYOL': dict(
        stages=dict(byol=dict(parts=[*network, 'byol/method', 'views/simclr', 'schedules/propos'])),
        paper=dict(nmi=36.5, acc=19.9, ari=10.0)),
    **{name: dict(quoted='Table 3', paper=dict(zip(metrics, values))) for name, values in quoted.items()}}
