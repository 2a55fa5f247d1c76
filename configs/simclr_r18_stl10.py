# SimCLR on STL-10, split protocol: training and unlabelled images; the features of SCAN.
# On them the authors' best SCAN has ACC 79.2, NMI 67.3, ARI 61.8 and, self-labelled, 80.9, 69.8, 64.6 (%).
# tools/dist_train.sh configs/simclr_r18_stl10.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/stl10_pretext_split.py', '_base_/models/simclr_r18_stl.py',
          '_base_/simclr_schedule.py']

train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size=512))))
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=10)
test_evaluator = val_evaluator
