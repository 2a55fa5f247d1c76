# ASD_PS with MutexMatch on CIFAR-20, split protocol, on DINO's ViT-S/16 at 224 pixels.
# tools/dist_train.sh configs/asd_ps_mutexmatch_vit_small_cifar20.py 4 \
#   --cfg-options model.backbone.init_cfg.checkpoint=VIT.pth
# VIT.pth is what tools/model_converters/dino_to_vit.py makes of DINO's file.
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar20_split.py', '_base_/models/asd_ps_vit.py', '_base_/asd_vit_schedule.py'
]

model = dict(
    head=dict(num_clusters=20),
    labeller=dict(num_clusters=20, num_labelled=80),
    pseudo_label_loss=dict(num_clusters=20))
train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=32),
        labelled=dict(size=80, pool='pool'),
        anchor=dict(size=80, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=20, per_cluster=4, n_init=10)),
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=1000),
    dict(type='CollapseHook'),
]
optim_wrapper = dict(optimizer=dict(lr=5e-4), paramwise_cfg=dict(layer_decay=0.5))
