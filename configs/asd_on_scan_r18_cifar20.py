# ASD_PS with FixMatch in the place of SCAN's self-labelling on CIFAR-20, split protocol; third stage of
# scan_asd_r18_cifar20.py. Rate, batch and epochs are SCAN's; the first map comes after five passes over the data.
# Paper, CIFAR-20, ACC in %: 48.9 with ASD instead of self-labelling, SCAN's clustering step alone 44.0.
# tools/dist_train.sh configs/asd_on_scan_r18_cifar20.py 4 --cfg-options model.base.init_cfg.checkpoint=SCAN.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar20_split.py', '_base_/models/asd_on_scan_r18_cifar.py',
    '_base_/scan_schedule.py'
]

mean, std = [129.3105, 124.1085, 112.404], [68.2125, 65.4075, 70.4055]
strong = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=16, colour=mean),
]
model = dict(
    data_preprocessor=dict(mean=mean, std=std, views=dict(unlabelled=[_base_.weak, strong])),
    base=dict(head=dict(head=dict(num_clusters=20))),
    labeller=dict(num_clusters=20, num_labelled=80),
    pseudo_label_loss=dict(num_clusters=20))
train_dataloader = dict(sampler=dict(streams=dict(
    _delete_=True,
    unlabelled=dict(size=1000),
    labelled=dict(size=80, pool='pool'),
    anchor=dict(size=80, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=20, per_cluster=4, n_init=10)),
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=1000, align_first='head', first=250),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
find_unused_parameters = True  # no cluster losses before the first map
optim_wrapper = dict(constructor='GroupedOptimWrapperConstructor', paramwise_cfg=dict(lr_mult=dict(labeller=10.)))
train_cfg = dict(max_epochs=200, val_interval=10)
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
