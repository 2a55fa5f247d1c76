# ClusMatch on your own folder of images at 64 pixels; second stage of propos_clusmatch_gcc_r18_folder64.py.
# IMAGES=path/to/images CLUSTERS=12 python tools/train.py configs/propos_clusmatch_gcc_r18_folder64.py
_base_ = [
    '_base_/runtime.py', '_base_/datasets/folder64.py', '_base_/models/clusmatch_r18_cifar.py', '_base_/clusmatch_schedule.py'
]

weak = [dict(type='BatchRandomCrop', size=64, padding=8, flip_prob=0.5)]
strong = weak + [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
model = dict(
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
                           views=dict(labelled=[weak], unlabelled=[weak, strong])),
    base=dict(num_clusters={{_base_.num_clusters}}, backbone=dict(_delete_=True, type='GCCResNet', depth=18)),
    head=dict(num_clusters={{_base_.num_clusters}}),
    pseudo_label_loss=dict(num_clusters={{_base_.num_clusters}}))
train_dataloader = dict(sampler=dict(
    length=256,
    streams=dict(_delete_=True, labelled=dict(size=64, pool='target'), unlabelled=dict(size=448))))
default_hooks = dict(checkpoint=dict(interval=1))
custom_hooks = [
    dict(type='SelectHook', selector=dict(type='CentroidDistance', num_clusters={{_base_.num_clusters}}, sigma=0.1)),
    dict(type='KMeansHook', num_clusters={{_base_.num_clusters}}, align_to='target'),
    dict(type='TeacherHook'),
]
val_evaluator = [
    dict(type='ClusteringMetric', source='kmeans', num_clusters={{_base_.num_clusters}}),
    dict(type='ClusteringMetric', source='head'),
]
test_evaluator = val_evaluator
