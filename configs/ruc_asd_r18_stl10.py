# RUC with ASD's labels on SCAN, STL-10, split protocol; fourth stage of scan_ruc_asd_r18_stl10.py.
# No figure is at hand.
# tools/dist_train.sh configs/ruc_asd_r18_stl10.py 2 --cfg-options model.base.init_cfg.checkpoint=SELFLABEL.pth
_base_ = ['ruc_r18_stl10.py']

weak, strong = _base_.weak, _base_.strong
model = dict(
    data_preprocessor=dict(views=dict(
        _delete_=True, labelled=[[], weak, weak, strong], unlabelled=[weak, weak], anchor=[[]])),
    labeller=dict(
        type='ASDLabels', in_channels=512, num_clusters=10, num_labelled=40, num_unlabelled=60, window=1000))
train_dataloader = dict(sampler=dict(
    length=50,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=60),
        labelled=dict(size=40),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=1000, first=200),  # images must have come twice
    dict(type='TurnHook'),
    dict(type='ScheduleHook', param='unsup_weight', linear=dict(start=0., end=50., least=5.)),
]
auto_scale_lr = dict(base_batch_size=60)
