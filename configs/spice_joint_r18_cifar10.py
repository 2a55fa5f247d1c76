# SPICE's joint training on CIFAR-10, split protocol; third stage of spice_r18_cifar10.py.
# Table III, SPICE, ResNet-18, CIFAR-10: ACC 0.918, NMI 0.850, ARI 0.836.
# tools/dist_train.sh configs/spice_joint_r18_cifar10.py 4 \
#   --cfg-options custom_hooks.0.source.init_cfg.checkpoint=SPICE_SELF.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar10_split.py', '_base_/models/spice_joint_r18_cifar.py',
    '_base_/fixmatch_schedule.py'
]

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
        selector=dict(type='LocalConsistency', num_clusters=10, k=100, ratio=0.95, threshold=0.99),
        source=dict(_base_.heads, init_cfg=dict(type='Pretrained', checkpoint='{spice_self}'))),
    dict(type='TeacherHook'),
]
optim_wrapper = dict(paramwise_cfg=dict(no_decay='norm'))
val_evaluator = [
    dict(type='ClusteringMetric', source='kmeans', num_clusters=10),
    dict(type='ClusteringMetric', source='head'),
]
test_evaluator = val_evaluator
