"""SPICE's reliable labels on 8 x 8 digits, paper against release.

python tools/experiment.py run experiments/spice/labels_digits.py --jobs 2
"""
title = 'SPICE on digits'
recipe = 'spice_cnn_digits'
stage = 'spice_joint'
source = 'head'
rows = {
    'reliable labels of the release': dict(),
    'of the paper': dict(options={
        'facts.consistent.include_self': False, 'facts.consistent.strict': True, 'facts.consistent.balanced': False,
        'facts.consistent.threshold': None}),
    'clusters of any size': dict(options={'facts.consistent.balanced': False}),
}
