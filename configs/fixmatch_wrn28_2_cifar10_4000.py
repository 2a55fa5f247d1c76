# FixMatch on CIFAR-10 with 4000 labels, 400 of each class.
# Top-1 error in USB's table: 4.29 %.
# tools/dist_train.sh configs/fixmatch_wrn28_2_cifar10_4000.py 4
_base_ = ['fixmatch_wrn28_2_cifar10_40.py']

custom_hooks = [
    dict(type='GroundTruthHook', per_class=400, seed=0),
    dict(type='TeacherHook'),
]
