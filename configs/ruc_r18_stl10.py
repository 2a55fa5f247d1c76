# RUC on SCAN, STL-10, split protocol; fourth stage of scan_ruc_r18_stl10.py.
# No figure is at hand: the release trains on all 13,000 labelled images.
# Two networks of earlier stages are needed:
#   tools/dist_train.sh configs/scan_ruc_r18_stl10.py 2 --cfg-options stages.simclr.checkpoint=SIMCLR.pth \
#       stages.scan_cluster.checkpoint=SCAN.pth stages.scan_selflabel.checkpoint=SELFLABEL.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/stl10_split.py', '_base_/models/ruc_r18_cifar.py', '_base_/ruc_schedule.py'
]

mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
weak = [dict(type='BatchRandomResizedCrop', size=96, scale=(0.2, 1.), flip_prob=0.5)]
strong = [
    *weak,
    dict(type='BatchFixMatchRandAugment', num_ops=2),
    dict(type='BatchSquareCutout', max_side=16, colour=mean),
]
plain = dict(type='ViewPreprocessor', mean=mean, std=std)
_base_.clustering.backbone = dict(type='GCCResNet', depth=18)
_base_.embedding.backbone = dict(type='GCCResNet', depth=18)
model = dict(
    data_preprocessor=dict(mean=mean, std=std, views=dict(unlabelled=[[], weak, weak, strong])),
    base=dict(backbone=dict(_delete_=True, type='GCCResNet', depth=18)))
train_dataloader = dict(sampler=dict(streams=dict(_delete_=True, unlabelled=dict(size=100))))
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
    dict(type='ScheduleHook', param='unsup_weight', linear=dict(start=0., end=50., least=5.)),
    dict(
        type='ScheduleHook',
        param='relabel_threshold',
        steps=[(0, 0.9), (80, 0.92), (160, 0.94), (240, 0.96), (320, 0.98)]),
]
auto_scale_lr = dict(base_batch_size=100)
