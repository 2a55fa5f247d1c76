"""SCAN on 8 x 8 digits, one option of a stage changed at a time.

python tools/experiment.py run experiments/scan/digits.py --jobs 2
"""
title = 'SCAN on digits'
recipe = 'scan_cnn_digits'
stage = 'scan_selflabel'
source = 'head'
cluster = 'stages.scan_cluster.options.'
rows = {
    'SCAN': dict(),
    'anchors of the first view only (release)': dict(options={'stages.simclr.options.model.symmetric': False}),
    'an image is none of its neighbours': dict(options={f'{cluster}hooks.neighbors.include_self': False}),
    'one entropy weight for training and choice': dict(options={f'{cluster}model.selection_entropy_weight': 2.}),
    'frozen network': dict(options={f'{cluster}model.freeze': True}),
    'one cluster of 20 %, others of 9 %': dict(options={f'{cluster}model.prior': [0.2] + 8 * [0.09] + [0.08]}),
    'learn above 0.9': dict(options={'model.pseudo_label_loss.threshold': 0.9}),
    'clusters weigh by their rows': dict(options={'model.pseudo_label_loss.class_balance': False}),
}
