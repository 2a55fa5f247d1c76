# ClusMatch on top of ProPos on 8 x 8 digits; the second stage of propos_clusmatch_cnn_digits.py.
# python tools/train.py configs/clusmatch_cnn_digits.py --cfg-options model.base.init_cfg.checkpoint=PROPOS.pth
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py', '_base_/digits_boost_schedule.py']

epochs = 8
weak = [dict(type='BatchAffine', degrees=10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=(-5.7, 5.7))]
strong = [dict(type='BatchAffine', degrees=20, translate=(0.15, 0.15), scale=(0.8, 1.2), shear=(-12, 12))]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=[77.8], std=[95.9],
                           views=dict(labelled=[weak], unlabelled=[weak, strong])),
    base=dict(
        type='ProPos',
        num_clusters=10,
        bank=dict(num_samples=None),
        backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
        neck=dict(type='MLPProjector', in_channels=128, hid_channels=256, out_channels=64),
        predictor=dict(type='MLPProjector', in_channels=64, hid_channels=256, out_channels=64),
        init_cfg=dict(type='Pretrained', checkpoint='{propos}')),
    head=dict(type='LinearClusterHead', in_channels=64, num_clusters=10),
    labeller=dict(type='SelectedLabels'),
    pseudo_label_loss=dict(type='ClusMatchLoss', num_clusters=10, decay=0.99),
    teacher=dict(decay=0.99, buffers='live'))
train_dataloader = dict(sampler=dict(
    length=50,
    streams=dict(
        _delete_=True,
        labelled=dict(size=64, pool='target'),
        unlabelled=dict(size=192))))
custom_hooks = [
    dict(type='SelectHook', selector=dict(type='CentroidDistance', num_clusters=10, sigma=0.2)),
    dict(type='KMeansHook', num_clusters=10, align_to='target'),
    dict(type='TeacherHook'),
]
train_cfg = dict(max_epochs=epochs)
param_scheduler = dict(total_epochs=epochs)
optim_wrapper = dict(optimizer=dict(lr=0.02))
