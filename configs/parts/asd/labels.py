# ASD's labels: labelled rows are matched with fixed anchors, and the instance classes found so are clustered by their
# transitions of `window` iterations (N_b), every `map_interval` (N_t). Four labelled rows a cluster in the paper.
facts = dict(
    per_cluster=4, labelled='{per_cluster} * {num_clusters}', unlabelled=448, window=1000, map_interval=1000)
model = dict(
    bank=dict(num_samples=None),
    data_preprocessor=dict(views=dict(reference=[[]])),
    labeller=dict(
        type='ASDLabels', num_labelled='{labelled}', num_unlabelled='{unlabelled}', window='{window}'))
train_dataloader = dict(sampler=dict(streams=dict(
    unlabelled=dict(size='{unlabelled}'),
    labelled=dict(size='{labelled}'),
    reference=dict(size='{labelled}', pool='anchor', order='fixed'))))
hooks = dict(
    select=None,    # places for asd/prototypes and asd/given
    given=None,
    anchors=dict(type='AnchorHook'),
    transitions=dict(type='TransitionHook', interval='{map_interval}'))
find_unused_parameters = True  # no cluster losses before the first map
