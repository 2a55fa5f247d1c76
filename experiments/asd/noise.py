"""ASD, Figs. 4b, 7a and b: number of labelled images at a fixed share of wrong labels. The grids are ours.

Fig. 4b: FixMatch with labels that are drawn and flipped once. Fig. 7: ASD whose cluster labels are true classes,
flipped anew in each iteration.

python tools/experiment.py run experiments/asd/noise.py
"""
title = 'ASD, Figs. 4b and 7: labelled images at a fixed noise, CIFAR-10'
metrics = ['head/acc']
percent = True
figure = dict(kind='lines', xlabel='labelled images')
given = 'stages.fixmatch.options.hooks.given'
labeller = 'stages.asd.options.model.labeller'
hook = dict(type='GroundTruthHook', per_class='all', field='truth')
rows = {
    **{f'FixMatch, noise {noise}, {10 * per_class} labels': dict(
        recipe='fixmatch_wrn28_2_cifar10_40', x=10 * per_class, series=f'FixMatch, noise {noise}',
        options={'facts.per_class': per_class, f'{given}.noise': noise})
       for noise in (0.1, 0.2, 0.4) for per_class in (4, 8, 16, 40)},
    **{f'ASD, noise {noise}, n_l = {10 * per_cluster}': dict(
        recipe='asd_freematch_r18_cifar10', x=10 * per_cluster, series=f'ASD, noise {noise}',
        options={'facts.per_cluster': per_cluster, f'{labeller}.given': 'truth', f'{labeller}.noise': noise,
                 'stages.asd.options.hooks.given': hook, 'stages.asd.options.hooks.transitions': None})
       for noise in (0.1, 0.2, 0.4) for per_cluster in (2, 4, 8)}}
