# SPICE's heads on MoCo features of CIFAR-20, split protocol; second stage of spice_r18_cifar20.py.
# Table III, SPICE_s, ResNet-18, CIFAR-20: ACC 0.468, NMI 0.457, ARI 0.321.
# tools/dist_train.sh configs/spice_self_r18_cifar20.py 4 --cfg-options model.base.init_cfg.checkpoint=MOCO.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar20_split.py', '_base_/models/spice_self_r18_cifar.py',
    '_base_/spice_self_schedule.py'
]

model = dict(head=dict(head=dict(num_clusters=20)))
train_dataloader = dict(sampler=dict(parts=10, streams=dict(batch=dict(size=10000))))
custom_hooks = [dict(type='FeatureHook'), dict(type='BestHeadHook')]
train_cfg = dict(max_epochs=100)
val_evaluator = [
    dict(type='ClusteringMetric', source='kmeans', num_clusters=20),
    dict(type='ClusteringMetric', source='head'),
]
test_evaluator = val_evaluator
