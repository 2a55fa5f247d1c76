# RUC on SCAN, 8 x 8 digits; the fourth stage of scan_ruc_cnn_digits.py.
# Networks of earlier stages are needed: python tools/train.py configs/scan_ruc_cnn_digits.py
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py', '_base_/ruc_schedule.py']

epochs = 80     # 40 of each network
weak = [dict(type='BatchAffine', degrees=10, translate=(0.1, 0.1))]
strong = [dict(type='BatchAffine', degrees=15, translate=(0.1, 0.1), scale=(0.8, 1.2), shear=(-10, 10))]
plain = dict(type='ViewPreprocessor', mean=[77.8], std=[95.9])
backbone = dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128))
head = dict(type='LinearClusterHead', in_channels=128, num_clusters=10)
clustering = dict(type='Boost', backbone=backbone, head=head)
embedding = dict(
    type='SimCLR',
    backbone=backbone,
    projector=dict(type='MLPProjector', in_channels=128, hid_channels=128, out_channels=64, norm=False))
model = dict(
    type='RUC',
    bank=dict(num_samples=None),
    data_preprocessor=dict(**plain, views=dict(unlabelled=[[], weak, weak, strong])),
    base=dict(**clustering, init_cfg=dict(type='Pretrained', checkpoint='{scan_selflabel}')),
    head=head)
train_dataloader = dict(sampler=dict(streams=dict(_delete_=True, unlabelled=dict(size=128))))
custom_hooks = [
    dict(
        type='SelectHook',
        selector=dict(type='HybridClean', num_clusters=10),
        output='head_probs',
        source=dict(
            **clustering,
            data_preprocessor=plain,
            init_cfg=dict(type='Pretrained', checkpoint='{scan_selflabel}')),
        embed=dict(
            output='project',
            source=dict(
                **embedding,
                data_preprocessor=plain,
                init_cfg=dict(type='Pretrained', checkpoint='{simclr}')))),
    dict(type='TurnHook'),
    dict(type='ScheduleHook', param='unsup_weight', linear=dict(start=0., end=25., least=2.5)),
]
train_cfg = dict(max_epochs=epochs, val_interval=8)
param_scheduler = dict(T_max=epochs)
auto_scale_lr = dict(base_batch_size=128)
