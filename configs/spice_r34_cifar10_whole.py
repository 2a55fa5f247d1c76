# SPICE on CIFAR-10, whole protocol (train + test): features of its own ResNet-34, joint training of a WRN-28-2.
# Table II, CIFAR-10: SPICE_s ACC 0.838, NMI 0.734, ARI 0.705; SPICE 0.926, 0.865, 0.852.
# tools/dist_train.sh configs/spice_r34_cifar10_whole.py 4
source = dict(split='train+test')
data = dict(train_dataloader=dict(dataset=dict(source=source)), val_dataloader=dict(dataset=dict(source=source)),
            test_dataloader=dict(dataset=dict(source=source)))
network = dict(_delete_=True, type='GCCResNet', depth=34)
stages = dict(
    moco=dict(config='moco_r18_cifar10.py', options=dict(data, model=dict(backbone=network))),
    spice_self=dict(config='spice_self_r18_cifar10.py', options=dict(data, model=dict(base=dict(backbone=network)))),
    spice_joint=dict(
        config='spice_joint_r18_cifar10.py',
        options=dict(
            data,
            model=dict(
                backbone=dict(_delete_=True, type='WideResNet', depth=28, widen_factor=2),
                head=dict(in_channels=128)),
            custom_hooks={'0': dict(source=dict(backbone=network))})))
