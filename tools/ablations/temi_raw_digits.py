"""TEMI on the pixels of 8 x 8 digits, one option changed at a time.

python tools/analysis_tools/ablation.py tools/ablations/temi_raw_digits.py --work-dir work_dirs/ablations/temi
"""
title = 'TEMI on digits'
config = '../../configs/temi_raw_digits.py'
metrics = ['head/acc', 'head/nmi', 'head/ari']
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
