# ASD with FreeMatch on 8 x 8 digits, from random weights, without labels or pre-training. No figure of the paper
# corresponds.
# python tools/train.py configs/asd_freematch_cnn_digits.py
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py', '_base_/digits_boost_schedule.py']

epochs = 24
# Wider shifts and scales than these blur the digits' instance classes before they tell anything.
weak = [dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))]
strong = [dict(type='BatchAffine', degrees=15, translate=(0.1, 0.1), scale=(0.85, 1.15), shear=(-10, 10))]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[77.8],
        std=[95.9],
        views=dict(labelled=[weak], unlabelled=[weak, strong], anchor=[[]])),
    backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
    head=dict(type='LinearClusterHead', in_channels=128, num_clusters=10),
    labeller=dict(
        type='ASDLabels', in_channels=128, num_clusters=10, num_labelled=40, num_unlabelled=280, window=100,
        reg=0.5),   # random rows are not balanced like the anchors
    pseudo_label_loss=dict(type='FreeMatchLoss', num_clusters=10, decay=0.99),
    teacher=dict(decay=0.99, buffers='live'))
train_dataloader = dict(sampler=dict(
    length=50,
    streams=dict(
        _delete_=True,
        labelled=dict(size=40),
        unlabelled=dict(size=280),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=50),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
find_unused_parameters = True  # no cluster losses before the first map
train_cfg = dict(max_epochs=epochs, val_interval=8)
param_scheduler = dict(total_epochs=epochs)
