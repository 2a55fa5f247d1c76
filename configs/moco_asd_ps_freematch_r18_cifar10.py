# MoCo v2 on CIFAR-10, split protocol, then ASD_PS with FreeMatch on its encoder and a new head. Another
# self-supervised encoder is another `base`.
# tools/dist_train.sh configs/moco_asd_ps_freematch_r18_cifar10.py 4
# A given MoCo checkpoint replaces the first stage: --cfg-options stages.moco.checkpoint=MOCO.pth
stages = dict(
    moco=dict(config='moco_r18_cifar10.py'),
    asd=dict(
        config='asd_ps_freematch_r18_cifar10.py',
        options=dict(model=dict(
            data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
            backbone=None,
            base=dict(
                type='MoCo',
                queue_size=10240,
                backbone=dict(type='ResNet_CIFAR', depth=18, zero_init_residual=False),
                projector=dict(type='MLPProjector', in_channels=512, hid_channels=512, out_channels=128, norm=False),
                init_cfg=dict(type='Pretrained', checkpoint='{moco}'))))))
