# CC on 2,062 photographs of hands that show digits, at 32 pixels with a small CNN: minutes on one CPU thread.
# No figure of the paper corresponds. Views are not mirrored: some signs are almost mirror images of others.
# python tools/train.py configs/cc_cnn_sign_digits.py
_base_ = ['_base_/runtime.py', '_base_/datasets/sign_digits64.py']

view = [
    dict(type='BatchAffine', degrees=20),
    dict(type='BatchRandomResizedCrop', size=32, scale=(0.4, 1.)),
    dict(type='BatchColorJitter', brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, prob=0.8),
    dict(type='BatchGrayscale', prob=0.2),
]
model = dict(
    type='CC',
    channels_last=True,
    data_preprocessor=dict(type='ViewPreprocessor', mean=[0., 0., 0.], std=[255., 255., 255.], views=[view, view]),
    backbone=dict(type='SmallCNN', in_channels=3, widths=(16, 32, 64, 128, 256)),
    projector=dict(type='MLPProjector', in_channels=256, hid_channels=128, out_channels=128, norm=False),
    head=dict(type='MLPClusterHead', in_channels=256, num_clusters=10))
train_dataloader = dict(dataset=dict(size=32), sampler=dict(streams=dict(batch=dict(size=128))))
val_dataloader = dict(dataset=dict(size=32))
test_dataloader = val_dataloader
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=100, val_interval=20)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
val_evaluator = [
    dict(type='ClusteringMetric', source='head'),
    dict(type='ClusteringMetric', source='kmeans', num_clusters=10),
]
test_evaluator = val_evaluator
