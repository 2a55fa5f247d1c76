# SimCLR on CIFAR-10, split protocol: the features of SCAN, whose k-means result is only logged.
# On them the authors' best SCAN has ACC 81.6, NMI 71.5, ARI 66.5 and, self-labelled, 88.3, 79.7, 77.2 (%).
# tools/dist_train.sh configs/simclr_r18_cifar10.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/cifar10_split.py', '_base_/models/simclr_r18_cifar.py',
          '_base_/simclr_schedule.py']

train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size=512))))
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=10)
test_evaluator = val_evaluator
