# RUC on SCAN, CIFAR-10, split protocol; fourth stage of scan_ruc_r18_cifar10.py.
# Paper, CIFAR-10: ACC 0.903.
# Two networks of earlier stages are needed:
#   tools/dist_train.sh configs/scan_ruc_r18_cifar10.py 2 --cfg-options stages.simclr.checkpoint=SIMCLR.pth \
#       stages.scan_cluster.checkpoint=SCAN.pth stages.scan_selflabel.checkpoint=SELFLABEL.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar10_split.py', '_base_/models/ruc_r18_cifar.py', '_base_/ruc_schedule.py'
]

plain = dict(type='ViewPreprocessor', mean=_base_.mean, std=_base_.std)
train_dataloader = dict(sampler=dict(streams=dict(_delete_=True, unlabelled=dict(size=250))))
custom_hooks = [
    dict(
        type='SelectHook',
        selector=dict(type='HybridClean', num_clusters=10),
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
    dict(type='ScheduleHook', param='unsup_weight', linear=dict(start=0., end=25., least=2.5)),
]
