# ProPos on your own folder of images at 64 pixels, GCC's ResNet-18. No figure of the paper corresponds.
# IMAGES=path/to/images CLUSTERS=12 python tools/train.py configs/propos_gcc_r18_folder64.py
_base_ = ['_base_/runtime.py', '_base_/datasets/folder64.py', '_base_/models/propos_r18_cifar.py', '_base_/propos_schedule.py']

simclr = [
    dict(type='BatchRandomResizedCrop', size=64, scale=(0.08, 1.), flip_prob=0.5),
    dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='BatchGrayscale', prob=0.2),
]
model = dict(
    num_clusters={{_base_.num_clusters}},
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], views=[simclr, simclr]),
    backbone=dict(_delete_=True, type='GCCResNet', depth=18))
train_cfg = dict(max_epochs=300)
param_scheduler = dict(total_epochs=300, warmup_epochs=15)
custom_hooks = [
    dict(type='ScheduleHook', param='psl_weight', steps=[(0, 0.), (15, 0.1)]),
    dict(type='ScheduleHook', param='sigma', steps=[(0, 0.), (15, 0.001)]),
    dict(type='KMeansHook', num_clusters={{_base_.num_clusters}}),
]
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters={{_base_.num_clusters}})
test_evaluator = val_evaluator
