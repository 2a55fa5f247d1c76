# RUC with ASD's labels on SCAN, 8 x 8 digits; the fourth stage of scan_ruc_asd_cnn_digits.py.
# python tools/train.py configs/ruc_asd_cnn_digits.py --cfg-options model.base.init_cfg.checkpoint=SELFLABEL.pth
_base_ = ['ruc_cnn_digits.py']

weak, strong = _base_.weak, _base_.strong
model = dict(
    data_preprocessor=dict(views=dict(
        _delete_=True, labelled=[[], weak, weak, strong], unlabelled=[weak, weak], anchor=[[]])),
    labeller=dict(
        type='ASDLabels', in_channels=128, num_clusters=10, num_labelled=40, num_unlabelled=128, window=100))
train_dataloader = dict(sampler=dict(
    length=14,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=128),
        labelled=dict(size=40),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=100),
    dict(type='TurnHook'),
    dict(type='ScheduleHook', param='unsup_weight', linear=dict(start=0., end=25., least=2.5)),
]
