# SPICE's heads, as on CIFAR-10: the weak view finds centres, SCAN's strong view learns. ImageNet's statistics, as in
# MoCo. An E-step goes through the network in `micro_batches`.
parts = ['spice/heads', 'data/imagenet_statistics', 'views/scan']
facts = dict(
    rows=5000,
    micro_batches=5,
    weak=[dict(type='BatchRandomCrop', size='{size}', padding=4, flip_prob='{flip}', padding_mode='constant')])
train_dataloader = dict(sampler=dict(micro_batches='{micro_batches}'))
