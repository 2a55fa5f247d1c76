# SPICE's joint training on STL-10, split protocol: labels from the 5,000 training images, which come first, and the
# 100,000 unlabelled ones beside them; third stage of spice_r18_stl10.py.
# Table III, SPICE, ResNet-18, STL-10: ACC 0.920, NMI 0.852, ARI 0.836; Table IV, five runs: ACC 0.918 +- 0.002.
# tools/dist_train.sh configs/spice_joint_r18_stl10.py 4 \
#   --cfg-options custom_hooks.0.source.init_cfg.checkpoint=SPICE_SELF.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/stl10_pretext_split.py', '_base_/models/spice_joint_r18_cifar.py',
    '_base_/fixmatch_schedule.py'
]

weak = [dict(type='BatchRandomCrop', size=96, padding=4, flip_prob=0.5, padding_mode='constant')]
strong = [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')] + weak
_base_.heads.backbone = dict(type='GCCResNet', depth=18)
model = dict(
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
                           views=dict(labelled=[weak], unlabelled=[weak, strong])),
    backbone=dict(_delete_=True, type='GCCResNet', depth=18))
train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(
        _delete_=True,
        labelled=dict(size=64, pool='target', order='replace'),
        unlabelled=dict(size=448, order='replace'))))
custom_hooks = [
    dict(
        type='SelectHook',
        output='embed+head_probs',
        selector=dict(
            type='FirstRows',
            num_rows=5000,
            selector=dict(type='LocalConsistency', num_clusters=10, k=100, ratio=0.9, threshold=0.99)),
        source=dict(_base_.heads, init_cfg=dict(type='Pretrained', checkpoint='{spice_self}'))),
    dict(type='TeacherHook'),
]
optim_wrapper = dict(paramwise_cfg=dict(no_decay='norm'))
val_evaluator = [
    dict(type='ClusteringMetric', source='kmeans', num_clusters=10),
    dict(type='ClusteringMetric', source='head'),
]
test_evaluator = val_evaluator
