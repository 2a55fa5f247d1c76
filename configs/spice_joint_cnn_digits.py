# SPICE's joint training on 8 x 8 digits: reliable labels of the heads, then FixMatch from a random start; the third
# stage of spice_cnn_digits.py.
# python tools/train.py configs/spice_joint_cnn_digits.py \
#   --cfg-options custom_hooks.0.source.init_cfg.checkpoint=SPICE_SELF.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/digits.py', '_base_/models/fixmatch_cnn_digits.py',
    '_base_/digits_boost_schedule.py'
]

epochs = 10
train_dataloader = dict(sampler=dict(
    length=50,
    streams=dict(
        _delete_=True,
        labelled=dict(size=64, pool='target', order='replace'),
        unlabelled=dict(size=192, order='replace'))))
custom_hooks = [
    dict(
        type='SelectHook',
        output='embed+head_probs',
        selector=dict(type='LocalConsistency', num_clusters=10, k=50),
        source=dict(
            type='SPICE',
            bank=dict(num_samples=None),
            data_preprocessor=dict(type='ViewPreprocessor', mean=[77.8], std=[95.9]),
            backbone=dict(type='SmallCNN', in_channels=1, widths=(32, 64, 128)),
            head=dict(type='MultiHead', num_heads=10, head=dict(type='MLPClusterHead', in_channels=128, num_clusters=10)),
            init_cfg=dict(type='Pretrained', checkpoint='{spice_self}'))),
    dict(type='TeacherHook'),
]
train_cfg = dict(max_epochs=epochs, val_interval=5)
param_scheduler = dict(total_epochs=epochs)
optim_wrapper = dict(paramwise_cfg=dict(no_decay='norm'))
