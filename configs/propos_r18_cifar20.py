# ProPos on CIFAR-20 (superclasses of CIFAR-100): class-balanced resampling, rising decay, joint views.
# Table 6, ResNet-18, CIFAR-20: ACC 57.8 +- 0.2, NMI 58.2 +- 0.3, ARI 42.3 +- 0.3 (%).
# tools/dist_train.sh configs/propos_r18_cifar20.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/cifar20.py', '_base_/models/propos_r18_cifar.py', '_base_/propos_schedule.py']

model = dict(
    num_clusters=20,
    ema_before_forward=True,
    joint_views=True,
    data_preprocessor=dict(mean=[129.3105, 124.1085, 112.404], std=[68.2125, 65.4075, 70.4055]))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size=256, order='replace', balance='label'))))
custom_hooks = [
    dict(type='ScheduleHook', param='psl_weight', steps=[(0, 0.), (50, 0.1)]),
    dict(type='ScheduleHook', param='sigma', steps=[(0, 0.), (50, 0.001)]),
    dict(type='ScheduleHook', param='teacher.decay', cosine=dict(start=0.996, end=1.)),
    dict(type='KMeansHook', num_clusters=20),
]
optim_wrapper = dict(optimizer=dict(lr=0.05))
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=20)
test_evaluator = val_evaluator
