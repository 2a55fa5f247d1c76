# PICI on 8 x 8 digits with a narrow transformer, patches of 2 pixels: minutes on one CPU thread.
# No figure of the paper corresponds.
# python tools/train.py configs/pici_vit_digits.py
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py']

view = [dict(type='BatchAffine', degrees=15, translate=(0.12, 0.12), scale=(0.85, 1.15), shear=(-8, 8))]
arch = dict(embed_dims=64, num_layers=3, num_heads=4, feedforward_channels=256)
model = dict(
    type='PICI',
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=[77.8], std=[95.9], views=[view, view]),
    backbone=dict(type='MaskedViT', arch=arch, img_size=8, patch_size=2, in_channels=1, mask_ratio=0.25),
    projector=dict(type='MLPProjector', in_channels=64, hid_channels=64, out_channels=64, norm=False),
    head=dict(type='MLPClusterHead', in_channels=64, num_clusters=10),
    decoder=dict(
        type='MaskedDecoder',
        embed_dim=64,
        img_size=8,
        patch_size=2,
        in_channels=1,
        decoder_embed_dim=32,
        decoder_depth=1,
        decoder_num_heads=2))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=120, val_interval=20)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
find_unused_parameters = True
custom_hooks = [
    dict(type='ScheduleHook', param='pisd', steps=[(0, 1.), (110, 0.)]),
    dict(type='ScheduleHook', param='picd', steps=[(0, 0.), (5, 1.)]),
    dict(type='ScheduleHook', param='cli', steps=[(0, 0.), (110, 1.)]),
    dict(
        type='KMeansHook',
        field='view_label',
        output='project',
        views='train',
        per_view=True,
        begin=110,
        interval=-1,
        metric='euclidean',
        n_init=100,
        scale='set'),
]
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
