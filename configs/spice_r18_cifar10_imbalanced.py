# SPICE on CIFAR-10 made imbalanced (section IV-G): class k = 1..10 keeps a share of zeta + k (1 - zeta) / 10 of its
# training images.
# Table IX, ACC for zeta 1, 0.8, 0.6, 0.4, 0.2: 0.923, 0.922, 0.920, 0.905, 0.850.
# tools/dist_train.sh configs/spice_r18_cifar10_imbalanced.py 4
# Another zeta: --cfg-options train_dataloader.dataset.source.zeta=0.4
train_dataloader = dict(dataset=dict(source=dict(
    _delete_=True, type='ImbalancedSource', zeta=0.2,
    source=dict(type='CIFAR10Source', root='data/cifar10', split='train'))))
stages = dict(
    moco=dict(config='moco_r18_cifar10.py'),
    spice_self=dict(config='spice_self_r18_cifar10.py'),
    spice_joint=dict(config='spice_joint_r18_cifar10.py'))
