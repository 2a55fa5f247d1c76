# ProPos on CIFAR-10 with the released hyper-parameters: global batch 512, lr 0.1, constant decay 0.996.
# Table 6, ResNet-18, CIFAR-10: ACC 91.6 +- 0.4, NMI 85.1 +- 0.5, ARI 83.5 +- 0.7 (%).
# tools/dist_train.sh configs/propos_r18_cifar10.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/cifar10.py', '_base_/models/propos_r18_cifar.py', '_base_/propos_schedule.py']

train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size=512))))
custom_hooks = [
    dict(type='ScheduleHook', param='psl_weight', steps=[(0, 0.), (50, 0.1)]),
    dict(type='ScheduleHook', param='sigma', steps=[(0, 0.), (50, 0.001)]),
    dict(type='KMeansHook', num_clusters=10),
]
optim_wrapper = dict(optimizer=dict(lr=0.1))
auto_scale_lr = dict(base_batch_size=512)
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=10)
test_evaluator = val_evaluator
