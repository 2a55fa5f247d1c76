# SPICE on ImageNet-10 at 224 pixels, whole protocol, torchvision's ResNet-34 throughout; images stay in memory (2 GB).
# Table II, ImageNet-10: SPICE_s ACC 0.921, NMI 0.828, ARI 0.836; SPICE 0.959, 0.902, 0.912.
# tools/dist_train.sh configs/spice_r34_imagenet10.py 4
train_dataloader = dict(dataset=dict(size=224, source=dict(
    _delete_=True, type='ClassFolderSource', root='data/imagenet/train', splits=None, classes='imagenet10')))
val_dataloader = train_dataloader
test_dataloader = train_dataloader
network = dict(_delete_=True, type='ResNet', depth=34, zero_init_residual=False)
view = [
    dict(type='BatchRandomResizedCrop', size=224, scale=(0.2, 1.), flip_prob=0.5),
    dict(type='BatchColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='BatchGrayscale', prob=0.2),
    dict(type='BatchGaussianBlur', sigma=(0.1, 2.), prob=0.5),
]
weak = [dict(type='BatchRandomCrop', size=224, padding=4, flip_prob=0.5, padding_mode='constant')]
scan = [
    dict(type='BatchFlip'),
    dict(type='BatchSCANAugment', num_ops=4),
    dict(type='BatchSquareCutout', max_side=32, colour=[123.675, 116.28, 103.53]),
]
strong = [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')] + weak
stages = dict(
    moco=dict(
        config='moco_r18_stl10.py',
        options=dict(
            model=dict(queue_size=10240, backbone=network, data_preprocessor=dict(views=[view, view])),
            train_cfg=dict(max_epochs=5000),
            param_scheduler=dict(T_max=5000))),
    spice_self=dict(
        config='spice_self_r18_stl10.py',
        options=dict(
            model=dict(data_preprocessor=dict(views=[weak, scan]), base=dict(queue_size=10240, backbone=network)),
            train_dataloader=dict(sampler=dict(parts=100)))),
    spice_joint=dict(
        config='spice_joint_r18_stl10.py',
        options=dict(
            model=dict(
                data_preprocessor=dict(views=dict(labelled=[weak], unlabelled=[weak, strong])),
                backbone=network),
            custom_hooks={'0': dict(
                selector=dict(_delete_=True, type='LocalConsistency', num_clusters=10, ratio=0.9),
                source=dict(backbone=network))})))
