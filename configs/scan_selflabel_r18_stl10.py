# SCAN's self-labelling on STL-10, split protocol; third stage of scan_r18_stl10.py.
# Authors' best weights, STL-10: ACC 0.809, NMI 0.698, ARI 0.646.
# tools/dist_train.sh configs/scan_selflabel_r18_stl10.py 4 --cfg-options model.base.init_cfg.checkpoint=SCAN.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/stl10_split.py', '_base_/models/scan_selflabel_r18_cifar.py',
    '_base_/scan_schedule.py'
]

mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
strong = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=32, colour=mean),
]
model = dict(
    data_preprocessor=dict(mean=mean, std=std, views=dict(unlabelled=[[], strong])),
    base=dict(backbone=dict(_delete_=True, type='GCCResNet', depth=18)))
train_dataloader = dict(sampler=dict(streams=dict(_delete_=True, unlabelled=dict(size=1000))))
train_cfg = dict(max_epochs=100, val_interval=10)
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
