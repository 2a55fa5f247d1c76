# SCAN's clustering step on STL-10, split protocol; second stage of scan_r18_stl10.py.
# Authors' best weights, STL-10: ACC 0.792, NMI 0.673, ARI 0.618.
# On a given network:
#   tools/dist_train.sh configs/scan_r18_stl10.py 4 --cfg-options stages.simclr.checkpoint=SIMCLR.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/stl10_split.py', '_base_/models/scan_cluster_r18_cifar.py',
    '_base_/scan_schedule.py'
]

mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
strong = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=32, colour=mean),
]
_base_.simclr.backbone = dict(type='GCCResNet', depth=18)
model = dict(
    data_preprocessor=dict(mean=mean, std=std, views=[strong]),
    base=dict(backbone=dict(_delete_=True, type='GCCResNet', depth=18)))
train_dataloader = dict(sampler=dict(streams=dict(
    _delete_=True,
    anchor=dict(size=128),
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
