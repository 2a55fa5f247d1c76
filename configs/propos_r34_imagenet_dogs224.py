# ProPos on ImageNet-Dogs at 224 pixels, torchvision's ResNet-34, images through workers.
# Table 10, ResNet-34, 224 px: ACC 77.5, NMI 73.7, ARI 67.5 (%).
# tools/dist_train.sh configs/propos_r34_imagenet_dogs224.py 4
_base_ = [
    '_base_/runtime.py', '_base_/datasets/imagenet_dogs224.py', '_base_/models/propos_r18_cifar.py',
    '_base_/propos_schedule.py'
]

model = dict(
    num_clusters=15,
    ema_before_forward=True,
    joint_views=True,
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], views=None),
    backbone=dict(_delete_=True, type='ResNet', depth=34, zero_init_residual=False))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(order='replace', balance='label'))))
custom_hooks = [
    dict(type='ScheduleHook', param='psl_weight', steps=[(0, 0.), (50, 0.1)]),
    dict(type='ScheduleHook', param='sigma', steps=[(0, 0.), (50, 0.001)]),
    dict(type='ScheduleHook', param='teacher.decay', cosine=dict(start=0.996, end=1.)),
    dict(type='KMeansHook', num_clusters=15, batch_size=256, num_workers=8),
]
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=15)
test_evaluator = val_evaluator
