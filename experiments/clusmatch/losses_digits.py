"""ClusMatch's losses as in its Table 4, on 8 x 8 digits. No figure of the paper corresponds.

python tools/experiment.py run experiments/clusmatch/losses_digits.py --jobs 2
"""
title = "ClusMatch's losses on digits, on ProPos"
recipe = 'propos_clusmatch_cnn_digits'
loss = 'stages.clusmatch.options.model.pseudo_label_loss'
names = ['sup', 'sup + npl', 'sup + ppl', 'sup + kpl', 'sup + ppl + npl', 'sup + kpl + npl', 'sup + kpl + ppl', 'all']
rows = {
    'ProPos': dict(stage='propos'),
    **{name: dict(options={f'{loss}.{term}_weight': 0. for term in ('ppl', 'npl', 'kpl')
                           if name != 'all' and term not in name}) for name in names},
    'all, head': dict(source='head')}
