# MoCo v2 on CIFAR-10, split protocol, then ASD_PS with FreeMatch on its encoder and a new head. Another
# self-supervised encoder is another stage that it goes on from.
# tools/dist_train.sh configs/moco_asd_ps_freematch_r18_cifar10.py 4
# A given MoCo checkpoint replaces the first stage: --cfg-options stages.moco.checkpoint=MOCO.pth
data = 'data/cifar10_split'
stages = dict(
    moco=dict(parts=['moco/r18']),
    asd=dict(on='moco', parts=['boosters/on_base', 'asd/new_head', 'asd/prototypes', 'losses/freematch',
                               'data/imagenet_statistics']))
