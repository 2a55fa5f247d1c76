# CC on 8 x 8 digits with a small CNN; a minute on a CPU core. No figure of the paper corresponds.
# python tools/train.py configs/cc_cnn_digits.py
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py']

view = [dict(type='BatchAffine', degrees=20, translate=(0.15, 0.15), scale=(0.8, 1.2), shear=(-12, 12))]
model = dict(
    type='CC',
    data_preprocessor=dict(type='ViewPreprocessor', mean=[0.], std=[255.], views=[view, view]),
    backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
    projector=dict(type='MLPProjector', in_channels=128, hid_channels=128, out_channels=64, norm=False),
    head=dict(type='MLPClusterHead', in_channels=128, num_clusters=10))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=120, val_interval=30)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
val_evaluator = [
    dict(type='ClusteringMetric', source='head'),
    dict(type='ClusteringMetric', source='kmeans', num_clusters=10),
]
test_evaluator = val_evaluator
