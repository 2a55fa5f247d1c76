# ASD_PS with FixMatch in the place of SCAN's self-labelling on 8 x 8 digits; the third stage of scan_asd_cnn_digits.py.
# python tools/train.py configs/asd_on_scan_cnn_digits.py --cfg-options model.base.init_cfg.checkpoint=SCAN.pth
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py']

epochs = 18
weak = [dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))]
strong = [dict(type='BatchAffine', degrees=15, translate=(0.1, 0.1), scale=(0.8, 1.2), shear=(-10, 10))]
model = dict(
    type='Boost',
    bank=dict(num_samples=None, fields=dict(pool=dict())),
    data_preprocessor=dict(
        type='ViewPreprocessor',
        mean=[77.8],
        std=[95.9],
        views=dict(labelled=[weak], unlabelled=[weak, strong], anchor=[[]])),
    base=dict(
        type='SCAN',
        num_neighbors=60,
        bank=dict(num_samples=None),
        backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
        head=dict(
            type='MultiHead', num_heads=10, head=dict(type='LinearClusterHead', in_channels=128, num_clusters=10)),
        init_cfg=dict(type='Pretrained', checkpoint='{scan_cluster}')),
    labeller=dict(
        type='ASDLabels', in_channels=128, num_clusters=10, num_labelled=40, num_unlabelled=256, window=100,
        reg=1.),    # trained features lie far apart
    pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=10),
    teacher=dict(decay=0.99, buffers='live'))
train_dataloader = dict(sampler=dict(
    length=50,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=256),
        labelled=dict(size=40, pool='pool'),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=10, per_cluster=4, n_init=10)),
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=100, align_first='head'),
    dict(type='TeacherHook'),
    dict(type='CollapseHook'),
]
find_unused_parameters = True  # no cluster losses before the first map
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=6)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='GroupedOptimWrapperConstructor',
    optimizer=dict(type='Adam', lr=3e-4, weight_decay=1e-4),
    paramwise_cfg=dict(lr_mult=dict(labeller=10.)))  # the instance head starts from nothing
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
