"""ProPos on 8 x 8 digits, one option changed at a time; paper, release and what they leave open.

python tools/experiment.py run experiments/propos/digits.py --jobs 2
"""
title = 'ProPos on digits'
recipe = 'propos_cnn_digits'
source = 'kmeans'
rows = {
    'raw pixels, k-means': dict(control='pixels'),
    'ProPos': dict(),
    'absent clusters in the denominator (release)': dict(options={'model.absent_fill': -10}),
    'divided by K (eq. 4)': dict(options={'model.over_all': True}),
    'cosine of the epochs after the warm-up': dict(options={'param_scheduler.denominator': 'rest'}),
    'posteriors instead of labels': dict(options={
        'model.assignment': 'soft', 'hooks.kmeans.posterior_temperature': 0.1}),
    'queue of 512 rows (section 5.9)': dict(options={'model.queue_size': 512}),
}
