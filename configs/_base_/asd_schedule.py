# ASD: FixMatch's schedule, anchors chosen once, a map of instance classes every 1000 iterations (N_t).
_base_ = ['fixmatch_schedule.py']

custom_hooks = [
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=1000),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
find_unused_parameters = True  # no cluster losses before the first map
auto_scale_lr = dict(base_batch_size=448)  # rows of the first stream, the unlabelled one
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
