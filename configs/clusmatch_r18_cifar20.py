# ClusMatch on CIFAR-20 with the released hyper-parameters; second stage of propos_clusmatch_r18_cifar20.py.
# Table 1, ProPos ResNet-18 + ClusMatch, CIFAR-20: NMI 0.601, ACC 0.592, ARI 0.426.
# tools/dist_train.sh configs/clusmatch_r18_cifar20.py 4 --cfg-options model.base.init_cfg.checkpoint=PROPOS.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar20.py', '_base_/models/clusmatch_r18_cifar.py', '_base_/clusmatch_schedule.py'
]

model = dict(
    data_preprocessor=dict(mean=[129.3, 124.1, 112.4], std=[68.2, 65.4, 70.4]),
    base=dict(num_clusters=20),
    head=dict(num_clusters=20),
    pseudo_label_loss=dict(num_clusters=20))
train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(_delete_=True, labelled=dict(size=64, pool='target'), unlabelled=dict(size=448))))
default_hooks = dict(checkpoint=dict(interval=1))
custom_hooks = [
    dict(type='SelectHook', selector=dict(type='CentroidDistance', num_clusters=20, sigma=0.1)),
    dict(type='KMeansHook', num_clusters=20, align_to='target'),
    dict(type='TeacherHook'),
]
val_evaluator = [
    dict(type='ClusteringMetric', source='kmeans', num_clusters=20),
    dict(type='ClusteringMetric', source='head'),
]
test_evaluator = val_evaluator
