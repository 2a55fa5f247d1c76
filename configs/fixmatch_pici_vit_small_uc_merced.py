# FixMatch on PICI, UC-Merced: labelled are the rows whose probabilities vary most, a tenth of each cluster.
# The second stage of pici_fixmatch_vit_small_uc_merced.py. No figure of a paper corresponds.
# tools/dist_train.sh configs/fixmatch_pici_vit_small_uc_merced.py 1 --cfg-options model.base.init_cfg.checkpoint=PICI.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/uc_merced.py', '_base_/models/boost_pici_vit_small.py',
    '_base_/pici_boost_schedule.py'
]

model = dict(
    base=dict(head=dict(num_clusters=21)),
    pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=21))
train_dataloader = dict(
    dataset=dict(pipelines=dict(
        _delete_=True,
        labelled=[{{_base_.weak_view}}],
        unlabelled=[{{_base_.weak_view}}, {{_base_.strong_view}}],
        test=[{{_base_.test_view}}])),
    sampler=dict(
        length=256,
        streams=dict(_delete_=True, labelled=dict(size=32, pool='target'), unlabelled=dict(size=96))))
custom_hooks = [
    dict(
        type='SelectHook',
        output='head_probs',
        selector=dict(type='ProbabilityVariance', sigma=0.1),
        batch_size=96,
        num_workers=8),
    dict(type='TeacherHook'),
]
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
