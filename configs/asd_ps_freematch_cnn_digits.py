# ASD_PS with FreeMatch on 8 x 8 digits: the labelled rows are prototypes with their neighbours, chosen anew each epoch.
# python tools/train.py configs/asd_ps_freematch_cnn_digits.py
_base_ = 'asd_freematch_cnn_digits.py'

train_dataloader = dict(sampler=dict(streams=dict(labelled=dict(pool='pool'))))
model = dict(bank=dict(fields=dict(pool=dict())), labeller=dict(reg=0.2))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=10, per_cluster=4)),
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=50),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
