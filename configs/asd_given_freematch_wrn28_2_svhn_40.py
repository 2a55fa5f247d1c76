# ASD with FreeMatch on SVHN while 40 labels are given, four of each digit: the learner has them instead of a map's, and
# the head of instance classes trains beside it. The first stage of asd_freematch_wrn28_2_svhn.py.
# tools/dist_train.sh configs/asd_given_freematch_wrn28_2_svhn_40.py 4
# Labels of your own: --cfg-options custom_hooks.0.per_class=None custom_hooks.0.labels=labels.csv
_base_ = ['_base_/freematch_svhn.py']

weak = [dict(type='BatchRandomCrop', size=32, padding=4)]
strong = weak + [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
model = dict(
    data_preprocessor=dict(views=dict(_delete_=True, labelled=[weak], unlabelled=[weak, strong], anchor=[[]])),
    labeller=dict(
        _delete_=True, type='ASDLabels', in_channels=128, num_clusters=10, num_labelled=40, num_unlabelled=448,
        given='target'))
train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=448),
        labelled=dict(size=40, pool='target'),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='GroundTruthHook', per_class=4, seed=0),
    dict(type='AnchorHook'),
    dict(type='TeacherHook'),
]
auto_scale_lr = dict(base_batch_size=448)  # rows of the first stream, the unlabelled one
