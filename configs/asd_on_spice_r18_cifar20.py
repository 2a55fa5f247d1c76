# ASD_PS with FixMatch in the place of SPICE's reliable labels on CIFAR-20, split protocol; third stage of
# spice_asd_r18_cifar20.py. The schedule is SPICE's; the first map comes after five passes over the data.
# Paper, CIFAR-20, ACC in %: 56.9, SPICE alone 53.8.
# tools/dist_train.sh configs/asd_on_spice_r18_cifar20.py 4 --cfg-options model.base.init_cfg.checkpoint=SPICE_SELF.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar20_split.py', '_base_/models/asd_on_spice_r18_cifar.py',
    '_base_/asd_schedule.py'
]

model = dict(
    base=dict(head=dict(head=dict(num_clusters=20))),
    labeller=dict(num_clusters=20, num_labelled=80),
    pseudo_label_loss=dict(num_clusters=20))
train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=448, order='replace'),
        labelled=dict(size=80, pool='pool'),
        anchor=dict(size=80, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=20, per_cluster=4, n_init=10)),
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=1000, align_first='head', first=560),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
optim_wrapper = dict(paramwise_cfg=dict(no_decay='norm'))
