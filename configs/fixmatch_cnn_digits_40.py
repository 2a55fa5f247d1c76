# FixMatch on 8 x 8 digits with 40 given labels, four of each class: a minute on a CPU core. No figure of a paper
# corresponds; train = test.
# python tools/train.py configs/fixmatch_cnn_digits_40.py
# Another loss: --cfg-options model.pseudo_label_loss.type=FreeMatchLoss
_base_ = [
    '_base_/runtime.py', '_base_/datasets/digits.py', '_base_/models/fixmatch_cnn_digits.py',
    '_base_/digits_boost_schedule.py'
]

epochs = 16
train_dataloader = dict(sampler=dict(
    length=50,
    streams=dict(
        _delete_=True,
        labelled=dict(size=40, pool='target'),
        unlabelled=dict(size=200))))
custom_hooks = [
    dict(type='GroundTruthHook', per_class=4, seed=0),
    dict(type='TeacherHook'),
]
train_cfg = dict(max_epochs=epochs)
param_scheduler = dict(total_epochs=epochs)
val_evaluator = dict(_delete_=True, type='ClusteringMetric', source='head', top1=True)
test_evaluator = val_evaluator
