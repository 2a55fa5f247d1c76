# ASD_PS with FixMatch in the place of SPICE's reliable labels on STL-10, split protocol; third stage of
# spice_asd_r18_stl10.py. The schedule is SPICE's; the first map comes after five passes over the data.
# tools/dist_train.sh configs/asd_on_spice_r18_stl10.py 4 --cfg-options model.base.init_cfg.checkpoint=SPICE_SELF.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/stl10_split.py', '_base_/models/asd_on_spice_r18_cifar.py',
    '_base_/asd_schedule.py'
]

weak = [dict(type='BatchRandomCrop', size=96, padding=4, flip_prob=0.5, padding_mode='constant')]
strong = [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')] + weak
model = dict(
    data_preprocessor=dict(views=dict(labelled=[weak], unlabelled=[weak, strong])),
    base=dict(backbone=dict(_delete_=True, type='GCCResNet', depth=18)))
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
    dict(type='TransitionHook', interval=1000, align_first='head', first=60),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
optim_wrapper = dict(paramwise_cfg=dict(no_decay='norm'))
