# MoCo v2 on CIFAR-20 (superclasses of CIFAR-100), split protocol: the features of SPICE.
# On them SPICE_s (Table III, ResNet-18) has ACC 46.8, NMI 45.7, ARI 32.1 and SPICE 53.5, 56.5, 40.4 (%).
# tools/dist_train.sh configs/moco_r18_cifar20.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/cifar20_split.py', '_base_/models/moco_r18_cifar.py',
          '_base_/moco_schedule.py']

train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size=128))))
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=20)
test_evaluator = val_evaluator
