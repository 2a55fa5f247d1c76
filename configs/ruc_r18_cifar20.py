# RUC on SCAN, CIFAR-20, split protocol; fourth stage of scan_ruc_r18_cifar20.py.
# ASD's paper, CIFAR-20: ACC 0.545.
# Two networks of earlier stages are needed:
#   tools/dist_train.sh configs/scan_ruc_r18_cifar20.py 2 --cfg-options stages.simclr.checkpoint=SIMCLR.pth \
#       stages.scan_cluster.checkpoint=SCAN.pth stages.scan_selflabel.checkpoint=SELFLABEL.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar20_split.py', '_base_/models/ruc_r18_cifar.py', '_base_/ruc_schedule.py'
]

mean, std = [129.3105, 124.1085, 112.404], [68.2125, 65.4075, 70.4055]
strong = [
    *_base_.weak,
    dict(type='BatchFixMatchRandAugment', num_ops=2),
    dict(type='BatchSquareCutout', max_side=16, colour=mean),
]
plain = dict(type='ViewPreprocessor', mean=mean, std=std)
_base_.clustering.head = dict(type='LinearClusterHead', in_channels=512, num_clusters=20)
model = dict(
    data_preprocessor=dict(
        mean=mean, std=std, views=dict(unlabelled=[[], _base_.weak, _base_.weak, strong])),
    base=dict(head=dict(num_clusters=20)),
    head=dict(num_clusters=20))
train_dataloader = dict(sampler=dict(streams=dict(_delete_=True, unlabelled=dict(size=250))))
custom_hooks = [
    dict(
        type='SelectHook',
        selector=dict(type='HybridClean', num_clusters=20),
        output='head_probs',
        source=dict(
            **_base_.clustering,
            data_preprocessor=plain,
            init_cfg=dict(type='Pretrained', checkpoint='{scan_selflabel}')),
        embed=dict(
            output='project',
            source=dict(
                **_base_.embedding,
                data_preprocessor=plain,
                init_cfg=dict(type='Pretrained', checkpoint='{simclr}')))),
    dict(type='TurnHook'),
    dict(type='ScheduleHook', param='unsup_weight', linear=dict(start=0., end=100., least=10.)),
    dict(
        type='ScheduleHook',
        param='relabel_threshold',
        steps=[(0, 0.9), (80, 0.92), (160, 0.94), (240, 0.96), (320, 0.98)]),
]
