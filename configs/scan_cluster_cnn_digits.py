# SCAN's clustering step on SimCLR features of 8 x 8 digits; the second stage of scan_cnn_digits.py.
# On a given network: python tools/train.py configs/scan_cnn_digits.py --cfg-options stages.simclr.checkpoint=SIMCLR.pth
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py']

epochs = 60
strong = [dict(type='BatchAffine', degrees=15, translate=(0.1, 0.1), scale=(0.8, 1.2), shear=(-10, 10))]
preprocessor = dict(type='ViewPreprocessor', mean=[77.8], std=[95.9])
simclr = dict(
    type='SimCLR',
    backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
    projector=dict(type='MLPProjector', in_channels=128, hid_channels=128, out_channels=64, norm=False))
model = dict(
    type='SCAN',
    num_neighbors=60,
    entropy_weight=2.,
    bank=dict(num_samples=None),
    data_preprocessor=dict(**preprocessor, views=[strong]),
    base=dict(**simclr, init_cfg=dict(type='Pretrained', checkpoint='{simclr}')),
    head=dict(type='MultiHead', num_heads=10, head=dict(type='LinearClusterHead', in_channels=128, num_clusters=10)))
train_dataloader = dict(sampler=dict(streams=dict(
    _delete_=True,
    anchor=dict(size=128),
    neighbour=dict(of='anchor', pool='neighbours'))))
custom_hooks = [
    dict(
        type='NeighbourHook',
        output='embed',
        source=dict(**simclr, data_preprocessor=preprocessor, init_cfg=dict(type='Pretrained', checkpoint='{simclr}'))),
    dict(type='BestHeadHook'),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=20)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3, weight_decay=1e-4))
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
