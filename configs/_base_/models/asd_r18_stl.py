# ASD as on CIFAR-10, on 96 pixels and the ResNet-18 with a max pool behind its 3x3 stem; K = 10.
_base_ = ['asd_r18_cifar.py']

weak = [dict(type='BatchRandomCrop', size=96, padding=12, flip_prob=0.5)]
strong = weak + [dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout')]
model = dict(
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        views=dict(labelled=[weak], unlabelled=[weak, strong])),
    backbone=dict(_delete_=True, type='GCCResNet', depth=18))
