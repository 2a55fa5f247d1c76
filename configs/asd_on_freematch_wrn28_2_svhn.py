# ASD with FreeMatch on SVHN, going on from a phase with given labels, which are not seen any more: the second stage of
# asd_freematch_wrn28_2_svhn.py. Networks, instance classes and their transitions go on; the first map is made at once
# and named by the head.
# tools/dist_train.sh configs/asd_on_freematch_wrn28_2_svhn.py 4 --cfg-options model.init_cfg.checkpoint=GIVEN.pth
_base_ = ['asd_given_freematch_wrn28_2_svhn_40.py']

model = dict(
    labeller=dict(given=None),
    init_cfg=dict(type='Pretrained', checkpoint='{given}', leave_out=[r'bank\.target']))
train_dataloader = dict(sampler=dict(streams=dict(labelled=dict(pool='all'))))
custom_hooks = [
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=1000, align_first='head', first=1),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
find_unused_parameters = True  # no cluster losses before the first map
val_evaluator = dict(top1=False)
test_evaluator = val_evaluator
