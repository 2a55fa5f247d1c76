"""ClusMatch on ProPos on 8 x 8 digits, one option changed at a time.

python tools/experiment.py run experiments/clusmatch/digits.py --jobs 2
"""
title = 'ClusMatch on digits'
recipe = 'propos_clusmatch_cnn_digits'
stage = 'clusmatch'
source = 'head'
rows = {
    'ClusMatch': dict(),
    'thresholds of absent clusters decay (release)': dict(options={'model.pseudo_label_loss.absent': 'decay'}),
    'clamped logarithm (release)': dict(options={'model.pseudo_label_loss.clamp': True}),
    'selection by raw features, nearest centre (release)': dict(options={
        'hooks.select.selector.distance': 'euclidean', 'hooks.select.selector.to': 'nearest'}),
    'thresholds move from epoch 2 on': dict(options={'hooks.thresholds': dict(type='ThresholdHook', begin=2)}),
    'thresholds rest from epoch 4 on': dict(options={'hooks.thresholds': dict(type='ThresholdHook', freeze=4)}),
    'thresholds move every 10 iterations': dict(options={
        'hooks.thresholds': dict(type='ThresholdHook', interval=10, log_interval=10)}),
}
