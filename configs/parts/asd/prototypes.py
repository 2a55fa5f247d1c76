# ASD_PS: the labelled rows are prototypes with their neighbours, chosen anew each epoch.
model = dict(bank=dict(fields=dict(prototypes=dict())))
train_dataloader = dict(sampler=dict(streams=dict(labelled=dict(pool='prototypes'))))
hooks = dict(select=dict(type='SelectHook', field='prototypes', interval=1, selector=dict(
    type='AccompaniedPrototypes', per_cluster='{per_cluster}', n_init=10)))
