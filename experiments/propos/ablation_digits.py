"""ProPos with and without its two losses as in its Table 6, on 8 x 8 digits. No figure of the paper corresponds.

python tools/experiment.py run experiments/propos/ablation_digits.py --jobs 2
"""
title = "ProPos' losses on digits"
recipe = 'propos_cnn_digits'
psl = 'stages.propos.options.model.psl_terms'
rows = {
    'raw pixels, k-means': dict(control='pixels'),
    'untrained network, k-means': dict(control='untrained'),
    'ProPos': dict(),
    'without PSL': dict(options={'facts.psl_weight': 0.}),
    'without PSA (sigma 0)': dict(options={'facts.sigma': 0.}),
    'without PSL and PSA': dict(options={'facts.psl_weight': 0., 'facts.sigma': 0.}),
    'without uniformity of PSL': dict(options={psl: 'alignment'}),
    'without alignment of PSL': dict(options={psl: 'uniformity'})}
