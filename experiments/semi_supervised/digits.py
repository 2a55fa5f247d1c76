"""Losses with 40 given labels on 8 x 8 digits; settings of papers and releases that differ from the defaults.

python tools/experiment.py run experiments/semi_supervised/digits.py --jobs 2
"""
title = '40 labels of digits'
recipe = 'fixmatch_cnn_digits_40'
source = 'head'
loss = 'model.pseudo_label_loss'
rows = {
    'FixMatch': dict(),
    'FixMatch, threshold 0.9': dict(options={f'{loss}.threshold': 0.9}),
    'FixMatch, soft labels': dict(options={f'{loss}.hard_label': False}),
    'FixMatch, half the weight': dict(options={f'{loss}.unsup_weight': 0.5}),
    'FlexMatch': dict(options={loss: dict(_delete_=True, type='FlexMatchLoss')}),
    'FlexMatch, threshold 0.9': dict(options={loss: dict(_delete_=True, type='FlexMatchLoss', threshold=0.9)}),
    'FlexMatch without warm-up': dict(options={loss: dict(_delete_=True, type='FlexMatchLoss', warmup=False)}),
    'FreeMatch': dict(options={loss: dict(_delete_=True, type='FreeMatchLoss', decay=0.99)}),
    'FreeMatch, quantile 0.8 (release)': dict(options={
        loss: dict(_delete_=True, type='FreeMatchLoss', decay=0.99, quantile=0.8)}),
    'FreeMatch without fairness': dict(options={
        loss: dict(_delete_=True, type='FreeMatchLoss', decay=0.99, fairness_weight=0.)}),
    'SoftMatch': dict(options={loss: dict(_delete_=True, type='SoftMatchLoss', decay=0.99)}),
    'SoftMatch, stricter': dict(options={loss: dict(_delete_=True, type='SoftMatchLoss', decay=0.99, n_sigma=3.)}),
    'SoftMatch, aligned to the labelled rows': dict(options={
        loss: dict(_delete_=True, type='SoftMatchLoss', decay=0.99, align='labelled')}),
    'SoftMatch, a Gaussian for each class': dict(options={
        loss: dict(_delete_=True, type='SoftMatchLoss', decay=0.99, per_class=True)}),
    'AdaMatch': dict(options={loss: dict(_delete_=True, type='AdaMatchLoss', decay=0.99)}),
    'AdaMatch, threshold 0.9 (paper)': dict(options={
        loss: dict(_delete_=True, type='AdaMatchLoss', decay=0.99, threshold=0.9)}),
    'MixMatch': dict(options={'stages.fixmatch.parts': ['semi_supervised/cnn_digits', 'losses/mixmatch']}),
    'MixMatch, alpha 0.75 (paper)': dict(options={
        'stages.fixmatch.parts': ['semi_supervised/cnn_digits', 'losses/mixmatch'], f'{loss}.alpha': 0.75}),
    'MixMatch, temperature 1': dict(options={
        'stages.fixmatch.parts': ['semi_supervised/cnn_digits', 'losses/mixmatch'], f'{loss}.temperature': 1.}),
    'MutexMatch': dict(options={loss: dict(_delete_=True, type='MutexMatchLoss')}),
    'MutexMatch, the 3 most negative classes': dict(options={
        loss: dict(_delete_=True, type='MutexMatchLoss', k=3, threshold=0.95, unsup_weight=1.)}),
}
