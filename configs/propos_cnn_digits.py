# ProPos on 8 x 8 digits with a small CNN: a minute on two CPU cores. No figure of the paper corresponds.
# python tools/train.py configs/propos_cnn_digits.py
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py']

epochs, warmup = 200, 60
view = [dict(type='BatchAffine', degrees=10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=(-5.7, 5.7))]
model = dict(
    type='ProPos',
    num_clusters=10,
    psl_weight=0.1,
    sigma=0.001,
    temperature=0.5,
    decay=0.996,
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=[77.8], std=[95.9], views=[view, view]),
    backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
    neck=dict(type='MLPProjector', in_channels=128, hid_channels=256, out_channels=64),
    predictor=dict(type='MLPProjector', in_channels=64, hid_channels=256, out_channels=64, init='normal_0.01'))
custom_hooks = [
    dict(type='ScheduleHook', param='psl_weight', steps=[(0, 0.), (warmup, 0.1)]),
    dict(type='ScheduleHook', param='sigma', steps=[(0, 0.), (warmup, 0.001)]),
    dict(type='KMeansHook', num_clusters=10, n_init=10),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=50)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(lr_mult=dict(predictor=10.)))
param_scheduler = dict(type='WarmupCosineLR', total_epochs=epochs, warmup_epochs=5, convert_to_iter_based=True)
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=10)
test_evaluator = val_evaluator
