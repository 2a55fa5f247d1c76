# PICI: masked images are filled in, pairs of instances and of clusters are contrasted. It pre-trains up to epoch
# `contrast`, trains up to epoch `boost` and is boosted to the end by k-means labels that are made once, from the
# projections of one augmented and masked draw. The result is the cluster head's.
parts = ['views/normalise', 'schedules/adam']
facts = dict(epochs=1050, contrast=200, boost=1000, val_interval=50, batch=96, lr=1e-4, mask=0.5)
network = dict(embed='{width}', project=128)
model = dict(
    type='PICI',
    bank=dict(num_samples=None),
    backbone=dict(type='MaskedViT', arch='{arch}', img_size='{size}', patch_size='{patch}', mask_ratio='{mask}'),
    projector=dict(
        type='MLPProjector', in_channels='{width}', hid_channels='{width}', out_channels='{project}', norm=False),
    head=dict(type='MLPClusterHead', num_clusters='{num_clusters}'),
    decoder=dict(
        type='MaskedDecoder',
        embed_dim='{width}',
        img_size='{size}',
        patch_size='{patch}',
        decoder_embed_dim=512,
        decoder_depth=8,
        decoder_num_heads=16))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
find_unused_parameters = True
hooks = dict(
    pisd=dict(type='ScheduleHook', param='pisd', steps=[(0, 1.), ('{boost}', 0.)]),
    picd=dict(type='ScheduleHook', param='picd', steps=[(0, 0.), ('{contrast}', 1.)]),
    cross_level=dict(type='ScheduleHook', param='cross_level', steps=[(0, 0.), ('{boost}', 1.)]),
    kmeans=dict(
        type='KMeansHook',
        field='view_label',
        output='project',
        views='train',
        per_view=True,
        begin='{boost}',
        interval=-1,
        metric='euclidean',
        n_init=100,
        scale='set'))
metrics = dict(
    head=dict(type='ClusteringMetric', source='head'),
    kmeans=None)    # a place for small sets
