"""ASD with FreeMatch on 8 x 8 digits, one option changed at a time.

python tools/experiment.py run experiments/asd/digits.py --jobs 2
"""
title = 'ASD on digits'
recipe = 'asd_ps_freematch_cnn_digits'
source = 'head'
random_rows = 'asd_freematch_cnn_digits'
rows = {
    'raw pixels, k-means': dict(control='pixels'),
    'untrained network, k-means': dict(control='untrained'),
    'ASD_PS (lambda 0.2 std, teacher, N_b 100, N_t 50, n_l 40)': dict(),
    'lambda 0.1 std': dict(options={'model.labeller.reg': 0.1}),
    'lambda 0.5 std': dict(options={'model.labeller.reg': 0.5}),
    'lambda 0.05, absolute': dict(options={'model.labeller.reg': 0.05, 'model.labeller.reg_mode': 'absolute'}),
    'network as reference': dict(options={'model.reference': 'network'}),
    'N_b 50': dict(options={'facts.window': 50}),
    'N_b 200': dict(options={'facts.window': 200}),
    'N_t 25': dict(options={'facts.map_interval': 25}),
    'N_t 100': dict(options={'facts.map_interval': 100}),
    'n_l 20': dict(options={'facts.per_cluster': 2}),
    'n_l 80': dict(options={'facts.per_cluster': 8}),
    'prototypes chosen once': dict(options={'hooks.select.interval': -1}),
    'prototypes every 25 iterations': dict(options={
        'hooks.select.interval': 25, 'hooks.select.by_epoch': False, 'train_dataloader.sampler.length': 25}),
    'prototypes from random centres': dict(options={'hooks.select.selector.init': 'random'}),
    'features of the first anchors': dict(options={'model.labeller.anchor_mode': 'frozen'}),
    'ten steps with one-hot labels': dict(options={'model.labeller.warmup': 10}),
    'soft labels': dict(options={'model.labeller.soft': True}),
    'transitions by degree': dict(options={'hooks.transitions.norm': 'sym_degree'}),
    'average linkage': dict(options={'hooks.transitions.method': 'average'}),
    'normalised cut': dict(options={'hooks.transitions.method': 'spectral'}),
    'PAM from one start': dict(options={'hooks.transitions.starts': 1}),
    'ASD, random rows (lambda 0.5 std, teacher)': dict(recipe=random_rows),
    'random rows, lambda 0.2 std': dict(recipe=random_rows, options={'model.labeller.reg': 0.2}),
    'random rows, network as reference': dict(recipe=random_rows, options={'model.reference': 'network'}),
}
