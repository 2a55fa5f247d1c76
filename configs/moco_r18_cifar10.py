# MoCo v2 on CIFAR-10, split protocol: the features of SPICE, whose k-means result is only logged.
# On them SPICE_s (Table III, ResNet-18) has ACC 84.5, NMI 73.9, ARI 70.9 and SPICE 91.8, 85.0, 83.6 (%).
# tools/dist_train.sh configs/moco_r18_cifar10.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/cifar10_split.py', '_base_/models/moco_r18_cifar.py',
          '_base_/moco_schedule.py']

train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size=128))))
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=10)
test_evaluator = val_evaluator
