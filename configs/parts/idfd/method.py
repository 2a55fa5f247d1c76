# IDFD: every image is told from all others, every feature from all others; k-means on the features.
parts = ['views/normalise']
facts = dict(epochs=2000, milestones=[600, 950, 1300, 1650], val_interval=100, batch=128, lr=0.03)
network = dict(embed=128)
model = dict(
    type='IDFD',
    temperature=1.,
    feature_temperature=2.,
    decay=0.5,
    bank=dict(num_samples=None),
    neck=dict(type='LinearNeck', in_channels='{width}', out_channels='{embed}', norm_cfg=None))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr='{lr}', momentum=0.9, weight_decay=5e-4))
param_scheduler = dict(type='MultiStepLR', milestones='{milestones}', gamma=0.1)
auto_scale_lr = dict(base_batch_size='{batch}')
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans', num_clusters='{num_clusters}'))
