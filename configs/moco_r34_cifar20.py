# MoCo v2 on CIFAR-20, whole protocol (train + test), with the ResNet-34 that SPICE takes there: 3x3 stem and max pool.
# On these features SPICE_s (Table II) has ACC 46.8, NMI 44.8, ARI 29.4 and SPICE 53.8, 56.7, 38.7 (%).
# tools/dist_train.sh configs/moco_r34_cifar20.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/cifar20.py', '_base_/models/moco_r18_cifar.py',
          '_base_/moco_schedule.py']

model = dict(backbone=dict(_delete_=True, type='GCCResNet', depth=34))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size=128))))
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=20)
test_evaluator = val_evaluator
