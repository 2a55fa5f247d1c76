# GCC: contrast between views alone until `graph_begin`, then along a graph of remembered features, built anew every
# `graph_interval` epochs. An image is drawn to the first `used` of its list, in which it mostly comes first itself, as
# in the release. Parts with the views come before this one, which says how many each stream has.
parts = ['views/normalise']
facts = dict(temperature=0.1, num_neighbors=5, used=3, graph_begin=51, graph_interval=5, val_interval=50)
network = dict(embed='{width}', project=128)
model = dict(
    type='GCC',
    temperature='{temperature}',
    rgc_weight=2.,
    entropy_weight=2.,
    memory_size=4,
    num_neighbors='{num_neighbors}',
    bank=dict(num_samples=None),
    data_preprocessor=dict(views=dict(batch=['{view}', '{view}'], near=['{view}'], neighbor=['{view}'])),
    projector=dict(
        type='MLPProjector', in_channels='{width}', hid_channels='{width}', out_channels='{project}', norm=False),
    head=dict(type='LinearClusterHead', num_clusters='{num_clusters}'))
train_dataloader = dict(sampler=dict(streams=dict(
    batch=dict(size='{batch}'),
    near=dict(of='batch', pool='neighbors', entries='{used}', begin='{graph_begin}'),
    neighbor=dict(of='batch', pool='neighbors', begin='{graph_begin}'))))
hooks = dict(graph=dict(type='GraphHook', begin='{graph_begin}', interval='{graph_interval}'))
metrics = dict(
    head=dict(type='ClusteringMetric', source='head'),
    kmeans=None)    # a place for small sets
find_unused_parameters = True  # the cluster head rests until there is a graph
