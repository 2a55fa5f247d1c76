# SimCLR on 8 x 8 digits with a small CNN; the first stage of scan_cnn_digits.py.
# python tools/train.py configs/simclr_cnn_digits.py
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py']

epochs = 200
view = [dict(type='BatchAffine', degrees=20, translate=(0.15, 0.15), scale=(0.8, 1.2), shear=(-12, 12))]
model = dict(
    type='SimCLR',
    temperature=0.5,
    data_preprocessor=dict(type='ViewPreprocessor', mean=[77.8], std=[95.9], views=[view, view]),
    backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
    projector=dict(type='MLPProjector', in_channels=128, hid_channels=128, out_channels=64, norm=False))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=50)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type='WarmupCosineLR', total_epochs=epochs, convert_to_iter_based=True)
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=10)
test_evaluator = val_evaluator
