# MoCo v2 on 8 x 8 digits with a small CNN; the first stage of spice_cnn_digits.py.
# python tools/train.py configs/moco_cnn_digits.py
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py']

epochs = 200
view = [dict(type='BatchAffine', degrees=10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=(-5.7, 5.7))]
model = dict(
    type='MoCo',
    queue_size=1024,
    temperature=0.2,
    decay=0.99,
    data_preprocessor=dict(type='ViewPreprocessor', mean=[77.8], std=[95.9], views=[view, view]),
    backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
    projector=dict(type='MLPProjector', in_channels=128, hid_channels=128, out_channels=64, norm=False))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=50)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.06, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type='WarmupCosineLR', total_epochs=epochs, warmup_epochs=0, convert_to_iter_based=True)
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=10)
test_evaluator = val_evaluator
