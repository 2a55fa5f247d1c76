# ASD_PS with MutexMatch on STL-10, split protocol, on DINO's ViT-S/16 at 224 pixels.
# tools/dist_train.sh configs/asd_ps_mutexmatch_vit_small_stl10.py 4 \
#   --cfg-options model.backbone.init_cfg.checkpoint=VIT.pth
# VIT.pth is what tools/model_converters/dino_to_vit.py makes of DINO's file.
_base_ = [
    '_base_/runtime.py', '_base_/datasets/stl10_split.py', '_base_/models/asd_ps_vit.py', '_base_/asd_vit_schedule.py'
]

weak = [dict(type='BatchRandomCrop', size=96, padding=12, flip_prob=0.5), _base_.large]
strong = [weak[0], dict(type='BatchFixMatchRandAugment', num_ops=3), dict(type='BatchCutout'), _base_.large]
model = dict(data_preprocessor=dict(views=dict(labelled=[weak], unlabelled=[weak, strong])))
train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=32),
        labelled=dict(size=40, pool='pool'),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
custom_hooks = [
    dict(type='SelectHook', field='pool', interval=1, selector=dict(
        type='AccompaniedPrototypes', num_clusters=10, per_cluster=4, n_init=10)),
    dict(type='AnchorHook'),
    dict(type='TransitionHook', interval=1000),
    dict(type='CollapseHook'),
]
