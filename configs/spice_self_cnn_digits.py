# SPICE's heads on MoCo features of 8 x 8 digits; the second stage of spice_cnn_digits.py.
# python tools/train.py configs/spice_self_cnn_digits.py --cfg-options model.base.init_cfg.checkpoint=MOCO.pth
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py']

epochs = 40
weak = [dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))]
strong = [dict(type='BatchAffine', degrees=20, translate=(0.15, 0.15), scale=(0.8, 1.2), shear=(-12, 12))]
model = dict(
    type='SPICE',
    center_ratio=1.,
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=[77.8], std=[95.9], views=[weak, strong]),
    base=dict(
        type='MoCo',
        queue_size=1024,
        backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
        projector=dict(type='MLPProjector', in_channels=128, hid_channels=128, out_channels=64, norm=False),
        init_cfg=dict(type='Pretrained', checkpoint='{moco}')),
    head=dict(type='MultiHead', num_heads=10, head=dict(type='MLPClusterHead', in_channels=128, num_clusters=10)))
train_dataloader = dict(sampler=dict(length=2, streams=dict(batch=dict(size=1790))))
custom_hooks = [dict(type='FeatureHook'), dict(type='BestHeadHook')]
train_cfg = dict(type='InnerStepLoop', max_epochs=epochs, val_interval=20)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.005))
param_scheduler = dict(type='CosineAnnealingLR', T_max=epochs, eta_min=0., by_epoch=True, convert_to_iter_based=True)
val_evaluator = [
    dict(type='ClusteringMetric', source='kmeans', num_clusters=10),
    dict(type='ClusteringMetric', source='head'),
]
test_evaluator = val_evaluator
