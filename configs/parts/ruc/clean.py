# RUC's own labels: rows that are confident and agree with their neighbours in the features of `simclr` are clean.
model = dict(data_preprocessor=dict(views=dict(unlabelled=[[], '{weak}', '{weak}', '{strong}'])))
train_dataloader = dict(sampler=dict(streams=dict(unlabelled=dict(size='{batch}'))))
hooks = dict(select=dict(
    type='SelectHook',
    selector=dict(type='HybridClean'),
    output='head_probs',
    network='{on.model}',
    embed=dict(output='project', network='{simclr.model}')))
auto_scale_lr = dict(base_batch_size='{batch}')
