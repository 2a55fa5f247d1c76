# MoCo v2 on STL-10, split protocol: training and unlabelled images; the features of SPICE.
# Table IV, ResNet-18, k-means on them: ACC 79.7 +- 4.6 (%). SPICE_s (Table III): ACC 86.2, NMI 75.6, ARI 73.2 (%).
# tools/dist_train.sh configs/moco_r18_stl10.py 4
_base_ = ['_base_/runtime.py', '_base_/datasets/stl10_pretext_split.py', '_base_/models/moco_r18_stl.py',
          '_base_/moco_schedule.py']

train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size=128))))
val_evaluator = dict(type='ClusteringMetric', source='kmeans', num_clusters=10)
test_evaluator = val_evaluator
