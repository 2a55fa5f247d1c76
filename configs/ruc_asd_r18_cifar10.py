# RUC with ASD's labels on SCAN, CIFAR-10, split protocol; fourth stage of scan_ruc_asd_r18_cifar10.py.
# ASD's paper, CIFAR-10: ACC 0.920, and 0.901 without ASD.
# tools/dist_train.sh configs/ruc_asd_r18_cifar10.py 2 --cfg-options model.base.init_cfg.checkpoint=SELFLABEL.pth
_base_ = ['ruc_r18_cifar10.py']

weak, strong = _base_.weak, _base_.strong
model = dict(
    data_preprocessor=dict(views=dict(
        _delete_=True, labelled=[[], weak, weak, strong], unlabelled=[weak, weak], anchor=[[]])),
    labeller=dict(
        type='ASDLabels', in_channels=512, num_clusters=10, num_labelled=40, num_unlabelled=210, window=1000))
train_dataloader = dict(sampler=dict(
    length=200,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=210),
        labelled=dict(size=40),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=1000, first=500),  # images must have come twice
    dict(type='TurnHook'),
    dict(type='ScheduleHook', param='unsup_weight', linear=dict(start=0., end=25., least=2.5)),
]
auto_scale_lr = dict(base_batch_size=210)
