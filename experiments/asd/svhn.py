"""ASD, Table IX: semi-supervised clustering of SVHN, WRN-28-2. The paper does not say how many labels; 40 stand here.

python tools/experiment.py run experiments/asd/svhn.py
"""
title = 'ASD, Table IX: semi-supervised clustering, SVHN'
percent = True
rows = {
    'FreeMatch with the labels': dict(recipe='freematch_wrn28_2_svhn_40', source='head'),
    'ASD with the labels first': dict(
        recipe='asd_freematch_wrn28_2_svhn', source='head', paper=dict(acc=72.6, nmi=56.2, ari=50.4))}
