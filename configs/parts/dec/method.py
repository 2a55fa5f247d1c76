# DEC on an autoencoder: the targets of all rows are made anew every `refresh` steps, which count as an epoch, until fewer
# than `tol` of the labels change.
parts = ['views/normalise']
facts = dict(batch=256, lr=0.01, refresh=280, epochs=70, val_interval=10, tol=1e-3)
model = dict(
    type='DEC',
    base='{on.network}',
    bank=dict(num_samples=None),
    head=dict(type='StudentHead', num_clusters='{num_clusters}', alpha=1.),
    data_preprocessor=dict(views=[[]]))
train_dataloader = dict(sampler=dict(length='{refresh}', streams=dict(batch=dict(size='{batch}'))))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr='{lr}', momentum=0.9))
default_hooks = dict(checkpoint=dict(interval=1))   # the last epoch is not known before
hooks = dict(targets=dict(type='TargetHook', tol='{tol}', n_init=20))
metrics = dict(head=dict(type='ClusteringMetric', source='head'))
