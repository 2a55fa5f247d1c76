# SCAN's clustering step on CIFAR-20, split protocol; second stage of scan_r18_cifar20.py.
# Authors' best weights, CIFAR-20: ACC 0.440, NMI 0.449, ARI 0.283.
# On a given network:
#   tools/dist_train.sh configs/scan_r18_cifar20.py 4 --cfg-options stages.simclr.checkpoint=SIMCLR.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar20_split.py', '_base_/models/scan_cluster_r18_cifar.py',
    '_base_/scan_schedule.py'
]

mean, std = [129.3105, 124.1085, 112.404], [68.2125, 65.4075, 70.4055]
strong = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=16, colour=mean),
]
model = dict(
    data_preprocessor=dict(mean=mean, std=std, views=[strong]),
    head=dict(head=dict(num_clusters=20)))
train_dataloader = dict(sampler=dict(streams=dict(
    _delete_=True,
    anchor=dict(size=512),
    neighbour=dict(of='anchor', pool='neighbours'))))
custom_hooks = [
    dict(
        type='NeighbourHook',
        output='project',
        source=dict(
            **_base_.simclr,
            data_preprocessor=dict(type='ViewPreprocessor', mean=mean, std=std),
            init_cfg=dict(type='Pretrained', checkpoint='{simclr}'))),
    dict(type='BestHeadHook'),
]
train_cfg = dict(max_epochs=100)
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
