# ASD with FreeMatch on SVHN, going on from FreeMatch with given labels, which are not seen any more: the second stage
# of asd_freematch_wrn28_2_svhn.py. The first map is made after three passes over the data and named by the head.
# tools/dist_train.sh configs/asd_on_freematch_wrn28_2_svhn.py 4 \
#   --cfg-options model.base.init_cfg.checkpoint=FREEMATCH.pth
_base_ = ['_base_/runtime.py', '_base_/datasets/svhn_split.py', '_base_/asd_schedule.py']

weak = [dict(type='BatchRandomCrop', size=32, padding=4)]
strong = weak + [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[111.6, 113.2, 120.6],
        std=[50.5, 51.3, 50.2],
        views=dict(labelled=[weak], unlabelled=[weak, strong], anchor=[[]])),
    base=dict(
        type='Boost',
        bank=dict(num_samples=None),
        backbone=dict(type='WideResNet', depth=28, widen_factor=2),
        head=dict(type='LinearClusterHead', in_channels=128, num_clusters=10),
        labeller=dict(type='SelectedLabels'),
        pseudo_label_loss=dict(type='FreeMatchLoss', num_clusters=10),
        teacher=dict(decay=0.999, buffers='live'),
        init_cfg=dict(type='Pretrained', checkpoint='{freematch}')),
    labeller=dict(type='ASDLabels', in_channels=128, num_clusters=10, num_labelled=40, num_unlabelled=448),
    pseudo_label_loss=dict(type='FreeMatchLoss', num_clusters=10, max_threshold=0.95),
    teacher=dict(decay=0.999, buffers='live'))
train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=448),
        labelled=dict(size=40),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=1000, align_first='head', first=490),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
