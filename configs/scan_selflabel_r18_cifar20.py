# SCAN's self-labelling on CIFAR-20, split protocol; third stage of scan_r18_cifar20.py.
# Authors' best weights, CIFAR-20: ACC 0.507, NMI 0.486, ARI 0.333.
# tools/dist_train.sh configs/scan_selflabel_r18_cifar20.py 4 --cfg-options model.base.init_cfg.checkpoint=SCAN.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar20_split.py', '_base_/models/scan_selflabel_r18_cifar.py',
    '_base_/scan_schedule.py'
]

mean, std = [129.3105, 124.1085, 112.404], [68.2125, 65.4075, 70.4055]
strong = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=16, colour=mean),
]
model = dict(
    data_preprocessor=dict(mean=mean, std=std, views=dict(unlabelled=[[], strong])),
    base=dict(head=dict(head=dict(num_clusters=20))),
    pseudo_label_loss=dict(num_clusters=20))
train_dataloader = dict(sampler=dict(streams=dict(_delete_=True, unlabelled=dict(size=1000))))
train_cfg = dict(max_epochs=200, val_interval=10)
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
