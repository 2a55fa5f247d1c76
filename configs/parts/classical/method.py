# A method of scikit-learn: one E-step, and no training. `classical` names it, `options` its further parameters.
parts = ['views/normalise']
facts = dict(options=None)
model = dict(
    type='ClassicalClusterer',
    method='{classical}',
    num_clusters='{num_clusters}',
    options='{options}',
    bank=dict(num_samples=None))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='all'))))
train_cfg = dict(type='EStepLoop', max_epochs=1)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1.))   # nothing is trained
hooks = dict(classical=dict(type='ClassicalHook'))
metrics = dict(head=dict(type='ClusteringMetric', source='head', prefix='classical'))
