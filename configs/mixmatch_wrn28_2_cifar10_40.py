# MixMatch on CIFAR-10 with 40 labels: two weak views, 64 labelled and 64 unlabelled images, a rising weight.
# Top-1 error in USB's table: 70.67 +- 1.25 %; with 250 labels 37.28 %, with 4000 7.38 %.
# tools/dist_train.sh configs/mixmatch_wrn28_2_cifar10_40.py 4
_base_ = ['fixmatch_wrn28_2_cifar10_40.py']

model = dict(
    data_preprocessor=dict(views=dict(unlabelled=[{{_base_.weak}}, {{_base_.weak}}])),
    pseudo_label_loss=dict(type='MixMatchLoss'))
train_dataloader = dict(sampler=dict(streams=dict(unlabelled=dict(size=64))))
custom_hooks = [
    dict(type='GroundTruthHook', per_class=4, seed=0),
    dict(type='ScheduleHook', param='pseudo_label_loss.unsup_weight', linear=dict(start=0., end=100., until=0.4)),
    dict(type='TeacherHook'),
]
