# SPICE's heads on MoCo features of STL-10's 5,000 training images, split protocol; second stage of spice_r18_stl10.py.
# Table III, SPICE_s, ResNet-18, STL-10: ACC 0.862, NMI 0.756, ARI 0.732; Table IV, five runs: ACC 0.852 +- 0.011.
# tools/dist_train.sh configs/spice_self_r18_stl10.py 4 --cfg-options model.base.init_cfg.checkpoint=MOCO.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/stl10_split.py', '_base_/models/spice_self_r18_cifar.py',
    '_base_/spice_self_schedule.py'
]

weak = [dict(type='BatchRandomCrop', size=96, padding=4, flip_prob=0.5, padding_mode='constant')]
strong = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=32, colour=_base_.mean),
]
model = dict(
    data_preprocessor=dict(views=[weak, strong]),
    base=dict(queue_size=65536, backbone=dict(_delete_=True, type='GCCResNet', depth=18)))
train_dataloader = dict(sampler=dict(parts=20, streams=dict(batch=dict(size=5000))))
custom_hooks = [dict(type='FeatureHook'), dict(type='BestHeadHook')]
train_cfg = dict(max_epochs=100)
val_evaluator = [
    dict(type='ClusteringMetric', source='kmeans', num_clusters=10),
    dict(type='ClusteringMetric', source='head'),
]
test_evaluator = val_evaluator
