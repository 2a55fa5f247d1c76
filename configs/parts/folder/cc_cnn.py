# CC with a small CNN at 32 pixels from random weights, sized for a CPU; as cc_cnn_sign_digits.py.
parts = ['folder/data']
facts = dict(size=32, mean=[0., 0., 0.], std=[255., 255., 255.], epochs=100, val_interval=20)
view = [
    dict(type='BatchAffine', degrees=20),
    dict(type='BatchRandomResizedCrop', size=32, scale=(0.4, 1.)),
    dict(type='BatchColorJitter', brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, prob=0.8),
    dict(type='BatchGrayscale', prob=0.2),
]
model = dict(
    type='CC',
    channels_last=True,
    data_preprocessor=dict(views=[view, view]),
    backbone=dict(type='SmallCNN', in_channels=3, widths=(16, 32, 64, 128, 256)),
    projector=dict(type='MLPProjector', in_channels=256, hid_channels=128, out_channels=128, norm=False),
    head=dict(type='MLPClusterHead', num_clusters='{num_clusters}'))
train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size='{batch}'))))
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs='{epochs}', val_interval='{val_interval}')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
metrics = dict(head=dict(type='ClusteringMetric', source='head'))
del view
