# ASD_PS with FixMatch in the place of SCAN's self-labelling on STL-10, split protocol; third stage of
# scan_asd_r18_stl10.py. Rate, batch and epochs are SCAN's; the first map comes after five passes over the data.
# tools/dist_train.sh configs/asd_on_scan_r18_stl10.py 4 --cfg-options model.base.init_cfg.checkpoint=SCAN.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/stl10_split.py', '_base_/models/asd_on_scan_r18_cifar.py',
    '_base_/scan_schedule.py'
]

mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
weak = [dict(type='BatchRandomCrop', size=96, padding=12, flip_prob=0.5)]
strong = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=32, colour=mean),
]
model = dict(
    data_preprocessor=dict(mean=mean, std=std, views=dict(labelled=[weak], unlabelled=[weak, strong])),
    base=dict(backbone=dict(_delete_=True, type='GCCResNet', depth=18)),
    labeller=dict(window=100))
train_dataloader = dict(sampler=dict(streams=dict(
    _delete_=True,
    unlabelled=dict(size=1000),
    labelled=dict(size=40, pool='pool'),
    anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=10, per_cluster=4, n_init=10)),
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=50, align_first='head', first=25),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
find_unused_parameters = True  # no cluster losses before the first map
optim_wrapper = dict(constructor='GroupedOptimWrapperConstructor', paramwise_cfg=dict(lr_mult=dict(labeller=10.)))
train_cfg = dict(max_epochs=100, val_interval=10)
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
