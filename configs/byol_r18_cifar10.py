# BYOL on CIFAR-10: ProPos without its two terms; k-means every 10 epochs only for the log.
# Table 6, ResNet-18, CIFAR-10: ACC 87.8 +- 1.7, NMI 79.4 +- 1.7, ARI 76.6 +- 2.8 (%).
# tools/dist_train.sh configs/byol_r18_cifar10.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/cifar10.py', '_base_/models/propos_r18_cifar.py', '_base_/propos_schedule.py']

_base_.model.pop('num_clusters')
_base_.model.pop('psl_weight')
_base_.model.pop('sigma')
_base_.model.pop('temperature')
model = dict(type='BYOL', bank=dict(fields=dict(label=dict())))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size=512))))
custom_hooks = [
    dict(type='ScheduleHook', param='teacher.decay', cosine=dict(start=0.996, end=1.)),
    dict(type='KMeansHook', num_clusters=10, interval=10),
]
optim_wrapper = dict(optimizer=dict(lr=0.1))
auto_scale_lr = dict(base_batch_size=512)
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=10)
test_evaluator = val_evaluator
