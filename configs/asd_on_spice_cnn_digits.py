# ASD_PS with FixMatch in the place of SPICE's reliable labels on 8 x 8 digits, from the network and the head of SPICE;
# the third stage of spice_asd_cnn_digits.py.
# python tools/train.py configs/asd_on_spice_cnn_digits.py --cfg-options model.base.init_cfg.checkpoint=SPICE_SELF.pth
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py', '_base_/digits_boost_schedule.py']

epochs = 8      # the head is better than what the features tell, and would follow them
weak = [dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))]
strong = [dict(type='BatchAffine', degrees=20, translate=(0.15, 0.15), scale=(0.8, 1.2), shear=(-12, 12))]
model = dict(
    type='Boost',
    bank=dict(num_samples=None, fields=dict(pool=dict())),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[77.8],
        std=[95.9],
        views=dict(labelled=[weak], unlabelled=[weak, strong], anchor=[[]])),
    base=dict(
        type='SPICE',
        bank=dict(num_samples=None),
        backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
        head=dict(type='MultiHead', num_heads=10, head=dict(type='MLPClusterHead', in_channels=128, num_clusters=10)),
        init_cfg=dict(type='Pretrained', checkpoint='{spice_self}')),
    labeller=dict(
        type='ASDLabels', in_channels=128, num_clusters=10, num_labelled=40, num_unlabelled=192, window=200,
        reg=1.),    # trained features lie far apart
    pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=10),
    teacher=dict(decay=0.99, buffers='live'))
train_dataloader = dict(sampler=dict(
    length=50,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=192, order='replace'),
        labelled=dict(size=40, pool='pool'),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=10, per_cluster=4, n_init=10)),
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=200, align_first='head'),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
find_unused_parameters = True  # no cluster losses before the first map
train_cfg = dict(max_epochs=epochs, val_interval=4)
param_scheduler = dict(total_epochs=epochs)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='Adam', lr=3e-4, weight_decay=1e-4),
    paramwise_cfg=dict(lr_mult=dict(labeller=10.)))  # the instance head starts from nothing
