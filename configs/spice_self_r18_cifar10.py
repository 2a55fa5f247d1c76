# SPICE's heads on MoCo features of CIFAR-10, split protocol; second stage of spice_r18_cifar10.py.
# Table III, SPICE_s, ResNet-18, CIFAR-10: ACC 0.845, NMI 0.739, ARI 0.709.
# tools/dist_train.sh configs/spice_self_r18_cifar10.py 4 --cfg-options model.base.init_cfg.checkpoint=MOCO.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar10_split.py', '_base_/models/spice_self_r18_cifar.py',
    '_base_/spice_self_schedule.py'
]

train_dataloader = dict(sampler=dict(parts=5, streams=dict(batch=dict(size=5000))))
custom_hooks = [dict(type='FeatureHook'), dict(type='BestHeadHook')]
val_evaluator = [
    dict(type='ClusteringMetric', source='kmeans', num_clusters=10),
    dict(type='ClusteringMetric', source='head'),
]
test_evaluator = val_evaluator
