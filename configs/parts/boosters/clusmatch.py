# ClusMatch on any base with an embedding: selected rows, adaptive thresholds, k-means labels every epoch.
parts = ['views/normalise', 'schedules/fixmatch']
facts = dict(epochs=64, val_interval=8, length=1024, labelled=64, unlabelled=448, lr=0.02, decay=0.999)
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    base='{on.network}',
    head=dict(type='LinearClusterHead', in_channels='{embed}', num_clusters='{num_clusters}'),
    labeller=dict(type='SelectedLabels'),
    pseudo_label_loss=dict(type='ClusMatchLoss', num_clusters='{num_clusters}'),
    teacher=dict(decay='{decay}', buffers='live'))
train_dataloader = dict(sampler=dict(
    length='{length}', streams=dict(labelled=dict(size='{labelled}', pool='target'), unlabelled=dict(size='{unlabelled}'))))
hooks = dict(
    select=dict(type='SelectHook'),
    kmeans=dict(type='KMeansHook', num_clusters='{num_clusters}', align_to='target'),
    teacher=dict(type='TeacherHook'))
metrics = dict(
    kmeans=dict(type='ClusteringMetric', source='kmeans', num_clusters='{num_clusters}'),
    head=dict(type='ClusteringMetric', source='head'))
