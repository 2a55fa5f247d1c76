# PICI on 2,062 photographs of hands that show digits, at 32 pixels with a narrow transformer: a quarter of an hour on
# one CPU thread. No figure of the paper corresponds. Views are not mirrored: some signs are almost mirror images.
# python tools/train.py configs/pici_vit_sign_digits.py
_base_ = ['_base_/runtime.py', '_base_/datasets/sign_digits64.py']

epochs, boosting = 200, 180
view = [
    dict(type='BatchRandomResizedCrop', size=32, scale=(0.4, 1.)),
    dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='BatchGrayscale', prob=0.2),
]
arch = dict(embed_dims=96, num_layers=4, num_heads=4, feedforward_channels=384)
model = dict(
    type='PICI',
    temperature=0.2,
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=[172., 165., 157.], std=[37., 41., 47.], views=[view, view]),
    backbone=dict(type='MaskedViT', arch=arch, img_size=32, patch_size=8, mask_ratio=0.25),
    projector=dict(type='MLPProjector', in_channels=96, hid_channels=96, out_channels=128, norm=False),
    head=dict(type='MLPClusterHead', in_channels=96, num_clusters=10),
    decoder=dict(
        type='MaskedDecoder',
        embed_dim=96,
        img_size=32,
        patch_size=8,
        decoder_embed_dim=64,
        decoder_depth=1,
        decoder_num_heads=4))
train_dataloader = dict(dataset=dict(size=32), sampler=dict(streams=dict(batch=dict(size=64))))
val_dataloader = dict(dataset=dict(size=32))
test_dataloader = val_dataloader
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=20)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = dict(type='WarmupCosineLR', total_epochs=epochs, warmup_epochs=5, convert_to_iter_based=True)
find_unused_parameters = True
custom_hooks = [
    dict(type='ScheduleHook', param='pisd', steps=[(0, 1.), (boosting, 0.)]),
    dict(type='ScheduleHook', param='picd', steps=[(0, 0.), (3, 1.)]),
    dict(type='ScheduleHook', param='cli', steps=[(0, 0.), (boosting, 1.)]),
    dict(
        type='KMeansHook',
        field='view_label',
        output='project',
        views='train',
        per_view=True,
        begin=boosting,
        interval=-1,
        metric='euclidean',
        n_init=100,
        scale='set'),
]
val_evaluator = [
    dict(type='ClusteringMetric', source='head'),
    dict(type='ClusteringMetric', source='kmeans', num_clusters=10),
]
test_evaluator = val_evaluator
