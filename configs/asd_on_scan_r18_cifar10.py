# ASD_PS with FixMatch in the place of SCAN's self-labelling on CIFAR-10, split protocol; third stage of
# scan_asd_r18_cifar10.py. Rate, batch and epochs are SCAN's; the first map comes after five passes over the data.
# Paper, CIFAR-10, ACC in %: 84.1 with ASD instead of self-labelling, SCAN's clustering step alone 81.6.
# tools/dist_train.sh configs/asd_on_scan_r18_cifar10.py 4 --cfg-options model.base.init_cfg.checkpoint=SCAN.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar10_split.py', '_base_/models/asd_on_scan_r18_cifar.py',
    '_base_/scan_schedule.py'
]

train_dataloader = dict(sampler=dict(streams=dict(
    _delete_=True,
    unlabelled=dict(size=1000),
    labelled=dict(size=40, pool='pool'),
    anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=10, per_cluster=4, n_init=10)),
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
