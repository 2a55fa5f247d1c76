# SCAN's self-labelling on CIFAR-10, split protocol; third stage of scan_r18_cifar10.py.
# Authors' best weights, CIFAR-10: ACC 0.883, NMI 0.797, ARI 0.772.
# tools/dist_train.sh configs/scan_selflabel_r18_cifar10.py 4 --cfg-options model.base.init_cfg.checkpoint=SCAN.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar10_split.py', '_base_/models/scan_selflabel_r18_cifar.py',
    '_base_/scan_schedule.py'
]

train_dataloader = dict(sampler=dict(streams=dict(_delete_=True, unlabelled=dict(size=1000))))
train_cfg = dict(max_epochs=200, val_interval=10)
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
