"""RUC on SCAN on 8 x 8 digits, one option changed at a time.

python tools/experiment.py run experiments/ruc/digits.py --jobs 2
"""
title = 'RUC on digits'
recipe = 'scan_ruc_cnn_digits'
stage = 'ruc'
source = 'head'
rows = {
    'RUC': dict(),
    'clean by confidence': dict(options={'hooks.select.selector.how': 'confidence'}),
    'clean by neighbours': dict(options={'hooks.select.selector.how': 'metric'}),
    'clean above 0.9': dict(options={'hooks.select.selector.threshold': 0.9}),
    '20 neighbours': dict(options={'hooks.select.selector.k': 20}),
    'temperature 1': dict(options={'model.temperature': 1.}),
    'alpha 0.75': dict(options={'model.alpha': 0.75}),
    'no smoothing': dict(options={'model.smoothing': 0.}),
    'no row becomes clean later': dict(options={'model.relabel_threshold': 1.1}),
}
