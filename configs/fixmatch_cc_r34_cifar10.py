# FixMatch on CC, CIFAR-10 at 224 pixels: labelled are the rows whose probabilities vary most, 1 % of each cluster. The
# second stage of cc_fixmatch_r34_cifar10.py. No figure of the paper corresponds.
# tools/dist_train.sh configs/fixmatch_cc_r34_cifar10.py 4 --amp --cfg-options model.base.init_cfg.checkpoint=CC.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar10.py', '_base_/models/boost_cc_r34.py', '_base_/clusmatch_schedule.py'
]

model = dict(pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=10))
train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(_delete_=True, labelled=dict(size=64, pool='target'), unlabelled=dict(size=448))))
default_hooks = dict(checkpoint=dict(interval=1))
custom_hooks = [
    dict(type='SelectHook', output='head_probs', selector=dict(type='ProbabilityVariance', sigma=0.01)),
    dict(type='TeacherHook'),
]
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
