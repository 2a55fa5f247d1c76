# FreeMatch on SVHN with 40 labels, four of each digit; no clustering: the labels are given. Digits are not mirrored;
# the average confidence is capped, as in FreeMatch's release.
# tools/dist_train.sh configs/freematch_wrn28_2_svhn_40.py 4
# Labels of your own: --cfg-options custom_hooks.0.per_class=None custom_hooks.0.labels=labels.csv
_base_ = [
    'runtime.py', 'datasets/svhn_split.py', 'models/wrn28_2_cifar.py',
    'fixmatch_schedule.py'
]

weak = [dict(type='BatchRandomCrop', size=32, padding=4)]
strong = weak + [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
model = dict(
    data_preprocessor=dict(
        mean=[111.6, 113.2, 120.6],
        std=[50.5, 51.3, 50.2],
        views=dict(labelled=[weak], unlabelled=[weak, strong])),
    pseudo_label_loss=dict(type='FreeMatchLoss', max_threshold=0.95))
train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(_delete_=True, labelled=dict(size=64, pool='target'), unlabelled=dict(size=448))))
custom_hooks = [
    dict(type='GroundTruthHook', per_class=4, seed=0),
    dict(type='TeacherHook'),
]
val_evaluator = dict(type='ClusteringMetric', source='head', top1=True)
test_evaluator = val_evaluator
