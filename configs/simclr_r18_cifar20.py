# SimCLR on CIFAR-20 (superclasses of CIFAR-100), split protocol: the features of SCAN.
# On them the authors' best SCAN has ACC 44.0, NMI 44.9, ARI 28.3 and, self-labelled, 50.7, 48.6, 33.3 (%).
# tools/dist_train.sh configs/simclr_r18_cifar20.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/cifar20_split.py', '_base_/models/simclr_r18_cifar.py',
          '_base_/simclr_schedule.py']

model = dict(data_preprocessor=dict(mean=[129.3105, 124.1085, 112.404], std=[68.2125, 65.4075, 70.4055]))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size=512))))
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=20)
test_evaluator = val_evaluator
