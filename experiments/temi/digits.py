"""TEMI on the pixels of 8 x 8 digits, one option changed at a time.

python tools/experiment.py run experiments/temi/digits.py --jobs 2
"""
title = 'TEMI on digits'
recipe = 'temi_raw_digits'
source = 'head'
rows = {
    'TEMI': dict(),
    'mutual information of exponent 1': dict(options={'model.beta': 1.}),
    'pairs weigh alike': dict(options={'model.weighted': False}),
    'the PMI baseline: alike, one head': dict(options={'model.weighted': False, 'model.head.num_heads': 1}),
    'sharper teacher': dict(options={'model.teacher_temperature': 0.05}),
    'sharper student': dict(options={'model.student_temperature': 0.05}),
    'shares of ten times as many steps': dict(options={'model.prior_decay': 0.99}),
    'the last layer learns at once': dict(options={'hooks.last_layer': None}),
}
