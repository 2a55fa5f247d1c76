"""ASD on 8 x 8 digits: interval of the map, and k-means labels instead of class transitions. No figure corresponds.

python tools/experiment.py run experiments/asd/tracking_digits.py --jobs 2
"""
title = 'ASD on digits: interval of the map, and k-means instead of class transitions'
source = 'head'
figure = dict(kind='curves', metric='acc')
random_rows = 'asd_freematch_cnn_digits'
rows = {
    'raw pixels, k-means': dict(recipe=random_rows, control='pixels'),
    **{f'ASD_PS, N_t {interval}': dict(recipe='asd_ps_freematch_cnn_digits', options={'facts.map_interval': interval})
       for interval in (25, 50, 100, 200)},
    'ASD, class transitions': dict(recipe=random_rows),
    'ASD, k-means labels': dict(data='data/digits', stages=dict(asd=dict(
        parts=['asd/kmeans_digits', 'losses/freematch_digits'])))}
