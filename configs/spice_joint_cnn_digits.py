# SPICE's joint training on 8 x 8 digits: reliable labels of the heads, then FixMatch from a random start; the third
# stage of spice_cnn_digits.py.
# python tools/train.py configs/spice_joint_cnn_digits.py \
#   --cfg-options custom_hooks.0.source.init_cfg.checkpoint=SPICE_SELF.pth
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py']

epochs = 10
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
        labelled=dict(size=64, pool='target', order='replace'),
        unlabelled=dict(size=192, order='replace'))))
custom_hooks = [
    dict(
        type='SelectHook',
        output='embed+head_probs',
        selector=dict(type='LocalConsistency', num_clusters=10, k=50),
        source=dict(
            type='SPICE',
            bank=dict(num_samples=None),
            data_preprocessor=dict(type='ViewPreprocessor', mean=[77.8], std=[95.9]),
            backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
            head=dict(type='MultiHead', num_heads=10, head=dict(type='MLPClusterHead', in_channels=128, num_clusters=10)),
            init_cfg=dict(type='Pretrained', checkpoint='{spice_self}'))),
    dict(type='TeacherHook'),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=5)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.03, momentum=0.9, nesterov=True, weight_decay=5e-4),
    paramwise_cfg=dict(no_decay='norm'))
param_scheduler = dict(type='FixMatchCosineLR', total_epochs=epochs, convert_to_iter_based=True)
val_evaluator = [
    dict(type='ClusteringMetric', source='kmeans', num_clusters=10),
    dict(type='ClusteringMetric', source='head'),
]
test_evaluator = val_evaluator
