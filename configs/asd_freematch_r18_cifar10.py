# ASD with FreeMatch on CIFAR-10, split protocol, from random weights: no labels, no pre-training.
# Paper, ResNet-18, CIFAR-10, mean (standard deviation), in %: ACC 93.1 (1.8), NMI 79.5 (8.6), ARI 70.8 (8.4).
# tools/dist_train.sh configs/asd_freematch_r18_cifar10.py 4
_base_ = [
    '_base_/runtime.py', '_base_/datasets/cifar10_split.py', '_base_/models/asd_r18_cifar.py', '_base_/asd_schedule.py'
]

train_dataloader = dict(sampler=dict(
    length=1024,
    streams=dict(
        _delete_=True,
        unlabelled=dict(size=448),
        labelled=dict(size=40),
        anchor=dict(size=40, pool='anchor', order='fixed'))))
