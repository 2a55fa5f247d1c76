# FixMatch on 8 x 8 digits with 40 given labels, four of each class: a minute on a CPU core. No figure of a paper
# corresponds; train = test.
# python tools/train.py configs/fixmatch_cnn_digits_40.py
# Another loss: --cfg-options model.pseudo_label_loss.type=FreeMatchLoss
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py']

epochs = 16
weak = [dict(type='BatchAffine', degrees=10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=(-5.7, 5.7))]
strong = [dict(type='BatchAffine', degrees=20, translate=(0.15, 0.15), scale=(0.8, 1.2), shear=(-12, 12))]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=[77.8], std=[95.9],
                           views=dict(labelled=[weak], unlabelled=[weak, strong])),
    backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
    head=dict(type='LinearClusterHead', in_channels=128, num_clusters=10),
    labeller=dict(type='SelectedLabels'),
    pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=10),
    teacher=dict(decay=0.99, buffers='live'))
train_dataloader = dict(sampler=dict(
    length=50,
    streams=dict(
        _delete_=True,
        labelled=dict(size=40, pool='target'),
        unlabelled=dict(size=200))))
custom_hooks = [
    dict(type='GroundTruthHook', per_class=4, seed=0),
    dict(type='TeacherHook'),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=4)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.03, momentum=0.9, nesterov=True, weight_decay=5e-4),
    paramwise_cfg=dict(no_decay='ndim'))
param_scheduler = dict(type='FixMatchCosineLR', total_epochs=epochs, convert_to_iter_based=True)
val_evaluator = dict(type='ClusteringMetric', source='head', top1=True)
test_evaluator = val_evaluator
