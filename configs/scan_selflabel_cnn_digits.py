# SCAN's self-labelling on 8 x 8 digits; the third stage of scan_cnn_digits.py.
# python tools/train.py configs/scan_selflabel_cnn_digits.py --cfg-options model.base.init_cfg.checkpoint=SCAN.pth
_base_ = ['_base_/runtime.py', '_base_/datasets/digits.py']

epochs = 10
strong = [dict(type='BatchAffine', degrees=15, translate=(0.1, 0.1), scale=(0.8, 1.2), shear=(-10, 10))]
model = dict(
    type='Boost',
    bank=dict(num_samples=None),
    data_preprocessor=dict(type='ViewPreprocessor', mean=[77.8], std=[95.9], views=dict(unlabelled=[[], strong])),
    base=dict(
        type='SCAN',
        num_neighbors=60,
        bank=dict(num_samples=None),
        backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
        head=dict(
            type='MultiHead', num_heads=10, head=dict(type='LinearClusterHead', in_channels=128, num_clusters=10)),
        init_cfg=dict(type='Pretrained', checkpoint='{scan_cluster}')),
    pseudo_label_loss=dict(type='ConfidenceLoss', num_clusters=10))
train_dataloader = dict(sampler=dict(streams=dict(_delete_=True, unlabelled=dict(size=256))))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=5)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4, weight_decay=1e-4))
val_evaluator = dict(type='ClusteringMetric', source='head')
test_evaluator = val_evaluator
