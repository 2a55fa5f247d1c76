"""PICI on 8 x 8 digits, one option changed at a time; paper, release and what they leave open.

python tools/experiment.py run experiments/pici/digits.py --jobs 2
"""
title = 'PICI on digits'
recipe = 'pici_vit_digits'
source = 'head'
rows = {
    'PICI': dict(),
    'plain pixels (paper)': dict(options={'model.norm_pix': False}),
    'learned positions (paper)': dict(options={'model.backbone.position': 'learned'}),
    'k-means every epoch (paper)': dict(options={'hooks.kmeans.interval': 1}),
    'scaled by the range of batches (release)': dict(options={'hooks.kmeans.scale': 'batch'}),
    'softmax over probabilities (release)': dict(options={'model.double_softmax': True}),
    'masks in evaluation (release)': dict(options={'model.backbone.test_mask_ratio': 0.25}),
    'labels renamed by the whole set': dict(options={
        'model.match': 'set', 'hooks.match': dict(type='MatchHook', begin=110)}),
    'temperature of clusters 0.5': dict(options={'model.cluster_temperature': 0.5}),
}
