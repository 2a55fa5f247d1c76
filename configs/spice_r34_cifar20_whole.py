# SPICE on CIFAR-20, whole protocol (train + test): features of its own ResNet-34, joint training of a WRN-28-8.
# Table II, CIFAR-20: SPICE_s ACC 0.468, NMI 0.448, ARI 0.294; SPICE 0.538, 0.567, 0.387.
# tools/dist_train.sh configs/spice_r34_cifar20_whole.py 4
source = dict(split='train+test')
data = dict(train_dataloader=dict(dataset=dict(source=source)), val_dataloader=dict(dataset=dict(source=source)),
            test_dataloader=dict(dataset=dict(source=source)))
network = dict(_delete_=True, type='GCCResNet', depth=34)
stages = dict(
    moco=dict(config='moco_r34_cifar20.py'),
    spice_self=dict(config='spice_self_r18_cifar20.py', options=dict(data, model=dict(base=dict(backbone=network)))),
    spice_joint=dict(
        config='spice_joint_r18_cifar20.py',
        options=dict(
            data,
            model=dict(
                backbone=dict(_delete_=True, type='WideResNet', depth=28, widen_factor=8),
                head=dict(in_channels=512)),
            custom_hooks={'0': dict(source=dict(backbone=network))})))
