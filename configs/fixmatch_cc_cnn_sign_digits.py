# FixMatch on CC, photographs of hands that show digits; the second stage of cc_fixmatch_cnn_sign_digits.py.
# python tools/train.py configs/fixmatch_cc_cnn_sign_digits.py --cfg-options model.base.init_cfg.checkpoint=CC.pth
_base_ = [
    '_base_/runtime.py', '_base_/datasets/sign_digits64.py', '_base_/models/boost_cc_cnn.py',
    '_base_/digits_boost_schedule.py'
]

epochs = 8
model = dict(pseudo_label_loss=dict(type='FixMatchLoss', num_clusters=10))
train_dataloader = dict(
    dataset=dict(size=32),
    sampler=dict(
        length=25,
        streams=dict(_delete_=True, labelled=dict(size=32, pool='target'), unlabelled=dict(size=96))))
val_dataloader = dict(dataset=dict(size=32))
test_dataloader = val_dataloader
custom_hooks = [
    dict(type='SelectHook', output='head_probs', selector=dict(type='ProbabilityVariance', sigma=0.2)),
    dict(type='TeacherHook'),
]
train_cfg = dict(max_epochs=epochs)
param_scheduler = dict(total_epochs=epochs)
optim_wrapper = dict(optimizer=dict(lr=0.01))
