# SPICE's joint training on CIFAR-20, split protocol; third stage of spice_r18_cifar20.py.
# Table III, SPICE, ResNet-18, CIFAR-20: ACC 0.535, NMI 0.565, ARI 0.404.
# tools/dist_train.sh configs/spice_joint_r18_cifar20.py 4 \
#   --cfg-options custom_hooks.0.source.init_cfg.checkpoint=SPICE_SELF.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar20_split.py', '_base_/models/spice_joint_r18_cifar.py',
    '_base_/fixmatch_schedule.py'
]

_base_.heads.head.head.num_clusters = 20
model = dict(
    data_preprocessor=dict(mean=[129.3, 124.1, 112.4], std=[68.2, 65.4, 70.4]),
    head=dict(num_clusters=20),
    pseudo_label_loss=dict(num_clusters=20))
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
        selector=dict(type='LocalConsistency', num_clusters=20, k=100, ratio=0.95, threshold=0.99),
        source=dict(_base_.heads, init_cfg=dict(type='Pretrained', checkpoint='{spice_self}'))),
    dict(type='TeacherHook'),
]
optim_wrapper = dict(paramwise_cfg=dict(no_decay='norm'))
val_evaluator = [
    dict(type='ClusteringMetric', source='kmeans', num_clusters=20),
    dict(type='ClusteringMetric', source='head'),
]
test_evaluator = val_evaluator
