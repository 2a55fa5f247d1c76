# SCAN's clustering step on CIFAR-10, split protocol; second stage of scan_r18_cifar10.py.
# Authors' best weights, CIFAR-10: ACC 0.816, NMI 0.715, ARI 0.665.
# On a given network:
#   tools/dist_train.sh configs/scan_r18_cifar10.py 4 --cfg-options stages.simclr.checkpoint=SIMCLR.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar10_split.py', '_base_/models/scan_cluster_r18_cifar.py',
    '_base_/scan_schedule.py'
]

train_dataloader = dict(sampler=dict(streams=dict(
    _delete_=True,
    anchor=dict(size=128),
    neighbour=dict(of='anchor', pool='neighbours'))))
custom_hooks = [
    dict(
        type='NeighbourHook',
        output='project',
        source=dict(
            **_base_.simclr,
            data_preprocessor=dict(type='ViewPreprocessor', mean=_base_.mean, std=_base_.std),
            init_cfg=dict(type='Pretrained', checkpoint='{simclr}'))),
    dict(type='BestHeadHook'),
]
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
