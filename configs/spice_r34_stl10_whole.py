# SPICE on STL-10, whole protocol: heads and labels use train + test, MoCo and the joint WRN-37-2 the unlabelled images
# too.
# Table II, STL-10: SPICE_s ACC 0.908, NMI 0.817, ARI 0.812; SPICE 0.938, 0.872, 0.870.
# tools/dist_train.sh configs/spice_r34_stl10_whole.py 4
known = dict(dataset=dict(source=dict(split='train+test')))
every = dict(dataset=dict(source=dict(split='train+test+unlabeled')))
tested = dict(val_dataloader=known, test_dataloader=known)
network = dict(depth=34)
stages = dict(
    moco=dict(config='moco_r18_stl10.py', options=dict(tested, train_dataloader=every, model=dict(backbone=network))),
    spice_self=dict(
        config='spice_self_r18_stl10.py',
        options=dict(tested, train_dataloader=known, model=dict(base=dict(backbone=network)))),
    spice_joint=dict(
        config='spice_joint_r18_stl10.py',
        options=dict(
            tested,
            train_dataloader=every,
            model=dict(
                backbone=dict(_delete_=True, type='WideResNet', depth=37, widen_factor=2),
                head=dict(in_channels=256)),
            custom_hooks={'0': dict(selector=dict(num_rows=13000), source=dict(backbone=network))})))
