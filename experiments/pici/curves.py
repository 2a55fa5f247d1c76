"""PICI, Fig. 3: NMI, ACC and ARI every 100 epochs. The cluster head rests until epoch 200.

python tools/experiment.py run experiments/pici/curves.py
"""
title = 'PICI, Fig. 3: over training, RSOD'
metrics = ['acc', 'nmi', 'ari']
seeds = [0]
source = 'head'
figure = dict(kind='curves')
rows = {'PICI': dict(recipe='pici_vit_small_rsod', options={'stages.pici.facts.val_interval': 100})}
