"""ProPos, Table 10: CIFAR without the test images, and ImageNet-10 and -Dogs at 224 pixels, ResNet-34.

python tools/experiment.py run experiments/propos/splits.py
"""
title = 'ProPos, Table 10: train images only, and 224 pixels, ResNet-34'
metrics = ['nmi', 'acc', 'ari']
percent = True
seeds = [0]
cifar = dict(propos=dict(parts=[
    'nets/r34_cifar', 'nets/release_init', 'propos/method', 'views/simclr', 'schedules/propos']))
workers = dict(propos=dict(parts=['propos/r34_workers']))
rows = {
    'CIFAR-10, train images': dict(
        data='data/cifar10', stages=cifar, options={'facts.source.split': 'train'},
        paper=dict(nmi=88.3, acc=94.2, ari=88.1)),
    'CIFAR-20, train images': dict(
        data='data/cifar20', stages=cifar, options={'facts.source.split': 'train'},
        paper=dict(nmi=61.2, acc=61.5, ari=45.9)),
    'ImageNet-10, 224 pixels': dict(
        data='data/imagenet10_workers', stages=workers, paper=dict(nmi=90.8, acc=96.2, ari=91.8)),
    'ImageNet-Dogs, 224 pixels': dict(
        recipe='propos_r34_imagenet_dogs224', paper=dict(nmi=73.7, acc=77.5, ari=67.5))}
