"""ProPos, Table 3: Tiny-ImageNet, ResNet-18.

python tools/experiment.py run experiments/propos/tiny_imagenet.py
"""
title = 'ProPos, Table 3: Tiny-ImageNet, ResNet-18'
metrics = ['nmi', 'acc', 'ari']
percent = True
data = 'data/tiny_imagenet'
views = ['nets/r18_stl', 'views/simclr']


def row(name, *values):
    """A method by its part and its schedule."""
    parts = dict(
        byol=['byol/method', 'schedules/propos'], simsiam=['simsiam/method', 'schedules/simsiam'],
        pcl=['pcl/method', 'schedules/moco_symmetric'], moco=['moco/symmetric', 'schedules/moco_symmetric'])[name]
    return dict(stages={name: dict(parts=[*views, *parts])}, paper=dict(zip(('nmi', 'acc', 'ari'), values)))


rows = {
    'ProPos': dict(stages=dict(propos=dict(parts=['propos/r18_stl'])), paper=dict(nmi=40.5, acc=25.6, ari=14.3)),
    'BYOL': row('byol', 36.5, 19.9, 10.0),
    'SimSiam': row('simsiam', 35.1, 20.3, 9.4),
    'PCL': row('pcl', 35.0, 15.9, 8.7),
    'MoCo v2': row('moco', 34.2, 16.0, 8.0)}
