# ASD_PS with FixMatch in the place of SPICE's reliable labels on CIFAR-10, split protocol; third stage of
# spice_asd_r18_cifar10.py. The schedule is SPICE's; the first map comes after five passes over the data.
# Paper, CIFAR-10, ACC in %: 94.2, SPICE alone 92.6.
# tools/dist_train.sh configs/asd_on_spice_r18_cifar10.py 4 --cfg-options model.base.init_cfg.checkpoint=SPICE_SELF.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar10_split.py', '_base_/models/asd_on_spice_r18_cifar.py',
    '_base_/asd_schedule.py'
]

train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=448, order='replace'),
        labelled=dict(size=40, pool='pool'),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=10, per_cluster=4, n_init=10)),
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=1000, align_first='head', first=560),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
optim_wrapper = dict(paramwise_cfg=dict(no_decay='norm'))
