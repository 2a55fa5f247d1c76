# TURTLE on frozen features: searches from three random starts at two rates; the label-free score keeps one.
parts = ['views/normalise']
facts = dict(
    epochs=6, val_interval=6, length=1000, batch=10000, spaces=None, inner_lr=[0.001] * 3 + [0.01] * 3,
    inner_steps=10, gamma=10., warm=False, lr=0.001, lr_mult={
        'head.heads.3': dict(lr_mult=10.), 'head.heads.4': dict(lr_mult=10.), 'head.heads.5': dict(lr_mult=10.)})
model = dict(
    type='TURTLE',
    inner_lr='{inner_lr}',
    inner_steps='{inner_steps}',
    warm='{warm}',
    gamma='{gamma}',
    bank=dict(num_samples=None),
    data_preprocessor=dict(views=[[]]),
    head=dict(type='MultiHead', num_heads=6, head=dict(
        type='TaskHead', num_clusters='{num_clusters}', widths='{spaces}')))
train_dataloader = dict(sampler=dict(length='{length}', streams=dict(batch=dict(size='{batch}'))))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='Adam', lr='{lr}'), paramwise_cfg=dict(custom_keys='{lr_mult}'))
hooks = dict(features=dict(type='FeatureHook'), best=dict(type='BestHeadHook'))
metrics = dict(head=dict(type='ClusteringMetric', source='head'))
