"""SPICE: joint training with reliable labels, or with those of all images, CIFAR-10, ResNet-18 (section on its Fig. 7).

python tools/experiment.py run experiments/spice/reliable.py
"""
title = 'SPICE: which labels the joint training has, CIFAR-10'
metrics = ['acc']
seeds = [0]
recipe = 'spice_r18_cifar10'
source = 'head'
rows = {
    'SPICE_s': dict(stage='spice_self', paper=dict(acc=.845)),
    'reliable labels': dict(paper=dict(acc=.918)),
    'labels of all images': dict(options={'facts.consistent': dict(threshold=None, ratio=0., balanced=False)})}
