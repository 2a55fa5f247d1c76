"""SPICE's heads on 8 x 8 digits, one option changed at a time.

python tools/experiment.py run experiments/spice/heads_digits.py --jobs 2
"""
title = "SPICE's heads on digits"
recipe = 'spice_cnn_digits'
stage = 'spice_self'
source = 'head'
rows = {
    'heads on a frozen network': dict(),
    'prototypes of half of the rows (release)': dict(options={'model.center_ratio': 0.5}),
    'one walk over the pairs': dict(options={'model.repeat': 1}),
    'mini-batches of 64 pairs': dict(options={'model.batch_size': 64}),
    'non-overlapping assignment': dict(options={'model.overlap': False}),
    'plain cross-entropy': dict(options={'model.double_softmax': False}),
    'plain cross-entropy, temperature 0.2': dict(options={'model.double_softmax': False, 'model.temperature': 0.2}),
    'entropy of the mini-batch': dict(options={'model.entropy_weight': 1., 'model.selection_entropy_weight': 1.}),
    'features as they are': dict(options={'model.normalize': False}),
    'batch norm goes on (release)': dict(options={'model.norm_eval': False}),
    'the network trains too, one head': dict(options={'model.freeze': False, 'model.head.num_heads': 1}),
}
